// The page of the curves: draws `told` (see curves_page.py) with Plotly, and keeps what the reader has chosen.
"use strict";

const kept = "curves: " + location.pathname;
const choice = Object.assign({across: "steps", scale: "linear", window: 0.02, view: {}},
  JSON.parse(sessionStorage.getItem(kept) || "{}"));
const plot = document.getElementById("curves");
const dark = matchMedia("(prefers-color-scheme: dark)");
if (!(choice.across in told.across)) choice.across = "steps";

// The mean over the records near each one: within a share of its place on a logarithmic axis, of the whole axis on a
// linear one. Records without a value are passed over.
function smooth(across, values, window) {
  const known = values.map((value, place) => place).filter(place => values[place] !== null && across[place] !== null);
  const x = known.map(place => across[place]), y = known.map(place => values[place]);
  const reach = place => window * (choice.scale === "log" ? x[place] : (x[x.length - 1] - x[0]) / 2);
  const means = [];
  let first = 0, behind = 0, sum = 0;
  for (let place = 0; place < x.length; place++) {
    while (behind < x.length && x[behind] <= x[place] + reach(place)) sum += y[behind++];
    while (x[first] < x[place] - reach(place)) sum -= y[first++];
    means.push(sum / (behind - first));
  }
  return [x, means];
}

function traces() {
  const found = [];
  told.runs.forEach((run, number) => {
    const across = run.across[choice.across];
    if (!across) return;
    told.panels.forEach((panel, row) => {
      panel.lines.forEach((line, place) => {
        const values = run.lists[line.key];
        if (!values) return;
        const colour = told.colours[(told.runs.length > 1 ? number : place) % told.colours.length];
        const name = told.runs.length > 1 ? run.name + told.comma + line.name : line.name;
        const common = {xaxis: "x", yaxis: row ? `y${row + 1}` : "y", legendgroup: name, name, meta: name,
          hovertemplate: `%{x:,.6~g} ${told.across[choice.across]}: %{y:${panel.format}}<extra>${name}</extra>`};
        found.push({...common, x: across, y: values, mode: "markers", showlegend: false, hoverinfo: "x+y",
          marker: {color: colour, size: values.length > 300 ? 3 : 5, opacity: choice.window ? 0.28 : 0.9}});
        if (!choice.window) return;
        const [x, y] = smooth(across, values, choice.window);
        found.push({...common, x, y, mode: "lines", showlegend: row === 0 || !told.panels[0].lines.some(
          other => run.lists[other.key]), line: {color: colour, width: 2, dash: ["solid", "dash", "dot"][place]}});
      });
    });
  });
  return found;
}

function layout() {
  const ink = dark.matches ? "#d7dde4" : "#1b1f23", rule = dark.matches ? "#30363d" : "#e6e6e6";
  const rows = told.panels.length, axes = {};
  told.panels.forEach((panel, row) => {
    axes[row ? `yaxis${row + 1}` : "yaxis"] = {title: {text: panel.title}, tickformat: panel.ticks, gridcolor: rule,
      zerolinecolor: rule, domain: [1 - (row + 1 - 0.06) / rows, 1 - row / rows], automargin: true};
  });
  return {...axes, font: {color: ink, family: "inherit"}, paper_bgcolor: "rgba(0,0,0,0)",
    plot_bgcolor: "rgba(0,0,0,0)", margin: {l: 60, r: 36, t: 10, b: 45}, hovermode: "closest",
    modebar: {orientation: "v", bgcolor: "rgba(0,0,0,0)", color: rule, activecolor: ink},  // beside the curves
    uirevision: choice.across + choice.scale, legend: {orientation: "h", y: 1.02, yanchor: "bottom"},
    xaxis: {title: {text: told.across[choice.across]}, type: choice.scale, gridcolor: rule, zerolinecolor: rule,
      anchor: rows > 1 ? `y${rows}` : "y", exponentformat: "SI"}};
}

function restored(made) {
  for (const [axis, range] of Object.entries(choice.view)) if (made[axis]) made[axis].range = range;
  return made;
}

function keep() {
  sessionStorage.setItem(kept, JSON.stringify(choice));
}

function draw(sameView) {
  if (!sameView) choice.view = {};
  keep();
  Plotly.react(plot, traces(), restored(layout()), {responsive: true, displaylogo: false, scrollZoom: true});
}

function control(name, apply) {
  const field = document.getElementById(name);
  field.value = choice[name];
  field.addEventListener("input", () => apply(field));
  return field;
}

control("across", field => { choice.across = field.value; draw(false); });
control("scale", field => { choice.scale = field.value; draw(false); });
control("window", field => { choice.window = Number(field.value); draw(true); });
dark.addEventListener("change", () => draw(true));
draw(true);

plot.on("plotly_relayout", () => {  // a zoom, or back to the whole
  choice.view = {};
  for (const [axis, found] of Object.entries(plot.layout)) {
    if (/^[xy]axis\d*$/.test(axis) && found.range && found.autorange !== true) choice.view[axis] = found.range;
  }
  keep();
});
if (told.reload) setTimeout(() => location.reload(), 1000 * told.reload);
