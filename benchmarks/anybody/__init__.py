"""Labels of the body model for people, cameras and conditions that it has not seen."""
