"""What a trained model sees, whether it is trained, and why it says what it says: `motionscribe-train explain`."""
