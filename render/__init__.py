"""Producer of pairs from Blender scenes; the only package that imports bpy, in workers only."""
