"""What the derivations (docs/derivations) predict of a trained model, computed on one."""
