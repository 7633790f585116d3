"""The Virtual Motion Capture protocol: bones of an avatar over OSC and UDP, to places of joints."""
