"""What responders see of the alert topics."""
