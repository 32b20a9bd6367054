"""What all families of scenes are made with: shapes, shader graphs, materials, lamps, cameras."""
