"""What an edited picture achieved, in the unit of its edit."""
