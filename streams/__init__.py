"""The Faust application: agents, the batch transport, the status store, the decision. Imports schemas."""
