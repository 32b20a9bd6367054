"""Files as users bring them, made by script: scenes, models and HDRIs, good and broken ones."""

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray


def make_blend(path: Path, *, compress: bool = False) -> Path:
    """Save a small still life with most of what a file may bring: see the functions below."""
    import bpy

    scene = _empty_scene()
    _add_floor(scene)
    figure = _add_figure(scene)
    _add_block(scene)
    _add_lamps(scene)
    _add_camera(scene, figure)
    world = _new_nodes(bpy.data.worlds.new("sky"))
    world.node_tree.nodes["Background"].inputs["Color"].default_value = (0.5, 0.7, 1.0, 1.0)
    world.node_tree.nodes["Background"].inputs["Strength"].default_value = 0.3
    scene.world = world
    return save_blend(path, compress=compress)


def save_blend(path: Path, *, compress: bool = False) -> Path:
    """Save what is in Blender."""
    import bpy

    from render.blender.session import captured_output

    with captured_output():
        bpy.ops.wm.save_as_mainfile(filepath=str(path), compress=compress)
    return path


def _empty_scene() -> Any:
    from render.blender.session import fresh_scene

    scene = fresh_scene()
    scene.render.resolution_x, scene.render.resolution_y = 1200, 800
    return scene


def _new_nodes(owner: Any) -> Any:
    """Return a material or world with Blender's default nodes."""
    from render.blender.versions import enable_nodes

    enable_nodes(owner)
    return owner


def new_material(name: str, colour: tuple[float, float, float], glow: float = 0.0) -> Any:
    """Return a Principled material."""
    import bpy

    material = _new_nodes(bpy.data.materials.new(name))
    shader = material.node_tree.nodes["Principled BSDF"]
    shader.inputs["Base Color"].default_value = (*colour, 1.0)
    shader.inputs["Roughness"].default_value = 0.4
    shader.inputs["Emission Color"].default_value = (0.2, 0.5, 1.0, 1.0)
    shader.inputs["Emission Strength"].default_value = glow
    return material


def add_box(
    scene: Any, name: str, size_m: tuple[float, float, float], at_m: tuple[float, float, float]
) -> Any:
    """Add a box whose origin is in its middle."""
    from render.blender.meshes import add_mesh
    from render.blender.shapes import rounded_box

    obj = add_mesh(scene, name, rounded_box(size_m, 0.01).moved(z_m=-size_m[2] / 2), [])
    obj.location = at_m
    return obj


def _add_floor(scene: Any) -> None:
    floor = add_box(scene, "Floor", (6.0, 6.0, 0.1), (0.0, 0.0, -0.05))
    floor.data.materials.append(new_material("floor", (0.55, 0.5, 0.45)))


def _add_figure(scene: Any) -> Any:
    """Add a turned, stretched, parented figure with shape keys, a modifier and a wooden pattern."""
    import bpy

    root = bpy.data.objects.new("root", None)
    root.location, root.rotation_euler = (0.05, 0.1, 0.0), (0.0, 0.0, 0.3)
    scene.collection.objects.link(root)
    figure = add_box(scene, "Toy_Robot.001", (0.3, 0.2, 0.5), (0.1, 0.05, 0.5))
    figure.parent = root
    figure.rotation_mode = "QUATERNION"
    figure.rotation_quaternion = (math.cos(0.2), 0.0, 0.0, math.sin(0.2))
    figure.scale = (1.3, 1.0, 2.0)
    figure.shape_key_add(name="Basis", from_mix=False)
    wide = figure.shape_key_add(name="wide", from_mix=False)
    for point in wide.data:
        point.co.x *= 1.5
    wide.value = 0.4
    figure.modifiers.new("thick", "SIMPLE_DEFORM").angle = 0.4
    material = new_material("pattern", (0.7, 0.3, 0.15))
    tree = material.node_tree
    place = tree.nodes.new("ShaderNodeTexCoord")
    checks = tree.nodes.new("ShaderNodeTexChecker")
    checks.inputs["Scale"].default_value = 9.0
    checks.inputs["Color1"].default_value = (0.7, 0.25, 0.1, 1.0)
    checks.inputs["Color2"].default_value = (0.1, 0.15, 0.5, 1.0)
    tree.links.new(place.outputs["Object"], checks.inputs["Vector"])
    tree.links.new(checks.outputs["Color"], tree.nodes["Principled BSDF"].inputs["Base Color"])
    figure.data.materials.append(material)
    return figure


def _add_block(scene: Any) -> None:
    """Add a glowing block that a driver lifts, and a hidden one that would fill the picture."""
    block = add_box(scene, "Block", (0.3, 0.3, 0.3), (-0.6, 0.5, 0.15))
    block.data.materials.append(new_material("glowing", (0.1, 0.1, 0.1), glow=0.6))
    driver = block.driver_add("location", 2).driver
    driver.type, driver.expression = "SCRIPTED", "0.15"
    hidden = add_box(scene, "Hidden", (9.0, 0.1, 9.0), (0.0, -1.5, 0.0))
    hidden.hide_render = True


def add_lamp(scene: Any, name: str, kind: str, energy: float, at_m: tuple[float, ...]) -> Any:
    """Add a lamp that looks at the origin."""
    import bpy
    from mathutils import Vector

    lamp = bpy.data.objects.new(name, bpy.data.lights.new(name, kind))
    lamp.data.energy = energy
    lamp.location = at_m
    lamp.rotation_euler = (-Vector(at_m)).to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(lamp)
    return lamp


def _add_lamps(scene: Any) -> None:
    """Add a warm key light, a tinted rim light, a weak sun, and a strong lamp that is hidden."""
    key = add_lamp(scene, "Key Light", "AREA", 120.0, (-1.5, -2.0, 2.2))
    key.data.size = 0.6
    key.data.use_temperature, key.data.temperature = True, 3200.0
    rim = add_lamp(scene, "Rim", "POINT", 40.0, (1.2, 1.4, 1.5))
    rim.data.color = (1.0, 0.2, 0.6)
    rim.data.shadow_soft_size = 0.1
    add_lamp(scene, "Sun", "SUN", 0.4, (2.0, -2.0, 3.0))
    add_lamp(scene, "Off", "POINT", 9000.0, (0.0, -1.0, 2.0)).hide_render = True


def _add_camera(scene: Any, figure: Any) -> None:
    """Add a camera with a 24 mm sensor, aimed by a constraint, focused on an object."""
    camera = add_camera(scene, (0.6, -2.6, 1.3))
    camera.data.sensor_width, camera.data.lens = 24.0, 30.0
    camera.data.dof.use_dof = True
    camera.data.dof.focus_object = figure
    camera.data.dof.aperture_fstop = 2.0
    aim = camera.constraints.new("TRACK_TO")
    aim.target, aim.track_axis, aim.up_axis = figure, "TRACK_NEGATIVE_Z", "UP_Y"


def add_camera(scene: Any, at_m: tuple[float, float, float]) -> Any:
    """Add the scene's camera, which looks at a point above the origin."""
    import bpy
    from mathutils import Vector

    camera = bpy.data.objects.new("Camera", bpy.data.cameras.new("Camera"))
    camera.location = at_m
    towards = Vector((0.0, 0.0, 0.3)) - Vector(at_m)
    camera.rotation_euler = towards.to_track_quat("-Z", "Y").to_euler()
    scene.collection.objects.link(camera)
    scene.camera = camera
    return camera


def make_simple_blend(
    path: Path,
    *,
    has_mesh: bool = True,
    has_camera: bool = True,
    has_light: bool = True,
    camera_type: str = "PERSP",
) -> Path:
    """Save one box, one camera and one lamp, or what is asked of them."""
    scene = _empty_scene()
    if has_mesh:
        add_box(scene, "Box", (0.4, 0.4, 0.4), (0.0, 0.0, 0.2))
    if has_camera:
        add_camera(scene, (0.0, -3.0, 1.0)).data.type = camera_type
    if has_light:
        add_lamp(scene, "Lamp", "POINT", 100.0, (1.0, -1.0, 2.0))
    return save_blend(path)


def make_blend_without_texture(path: Path) -> Path:
    """Save a box whose texture was deleted afterwards."""
    import bpy

    texture = path.with_name("wood.png")
    scene = _empty_scene()
    box = add_box(scene, "Box", (0.4, 0.4, 0.4), (0.0, 0.0, 0.2))
    material = new_material("wood", (0.5, 0.5, 0.5))
    _write_png(texture)
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(texture))
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    box.data.materials.append(material)
    add_camera(scene, (0.0, -3.0, 1.0))
    add_lamp(scene, "Lamp", "POINT", 100.0, (1.0, -1.0, 2.0))
    save_blend(path)
    texture.unlink()
    return path


def make_blend_with_missing_library(path: Path) -> Path:
    """Save a scene that links a box from a file that is deleted afterwards."""
    import bpy

    from render.blender.session import captured_output

    library = path.with_name("library.blend")
    make_simple_blend(library)
    scene = _empty_scene()
    with captured_output(), bpy.data.libraries.load(str(library), link=True) as (_, wanted):
        wanted.objects = ["Box"]
    scene.collection.objects.link(bpy.data.objects["Box"])
    add_camera(scene, (0.0, -3.0, 1.0))
    add_lamp(scene, "Lamp", "POINT", 100.0, (1.0, -1.0, 2.0))
    save_blend(path)
    library.unlink()
    return path


def make_newer_blend(path: Path) -> Path:
    """Save a scene whose header claims Blender 9.9."""
    make_simple_blend(path)
    data = path.read_bytes()
    for own in (b"-v405", b"-01v0502"):
        if own in data[:17]:
            newer = own[:-3] + b"909"
            path.write_bytes(data.replace(own, newer, 1))
            return path
    msg = f"header {data[:17]!r} is of no Blender that this test knows"
    raise AssertionError(msg)


def make_truncated_blend(path: Path, *, compress: bool = False) -> Path:
    """Save a scene and cut it off in the middle."""
    make_blend(path, compress=compress)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])
    return path


def make_scripted_blend(path: Path, marker: Path) -> Path:
    """Save a scene that writes `marker`.* from a registered text and from a driver."""
    import bpy

    make_simple_blend(path)
    text = bpy.data.texts.new("boot.py")
    text.write(f"open({str(marker) + '.text'!r}, 'w').close()\n")
    text.use_module = True
    driver = bpy.data.objects["Box"].driver_add("location", 0).driver
    driver.type = "SCRIPTED"
    driver.expression = f"0.0 if open({str(marker) + '.driver'!r}, 'w') else 0.0"
    save_blend(path)
    for written in marker.parent.glob(f"{marker.name}.*"):
        written.unlink()  # making the driver ran it
    return path


def _write_png(path: Path) -> None:
    import cv2

    rows = np.indices((32, 32)).sum(axis=0) // 4 % 2
    cv2.imwrite(
        str(path),
        np.stack([40 + 60 * rows, 90 + 60 * rows, 140 + 60 * rows], axis=-1).astype(np.uint8),
    )


def make_glb(path: Path, *, size_m: float = 0.24, glow: float = 0.0) -> Path:
    """Save a textured body with a lid of another material, a lamp and a camera as glTF binary."""
    import bpy

    from render.blender.session import captured_output

    texture = path.with_name("paint.png")
    scene = _empty_scene()
    body = add_box(scene, "Body", (size_m, size_m, size_m), (0.4, 0.0, 1.0))
    lid = add_box(scene, "Lid", (size_m / 2, size_m / 2, size_m / 4), (0.4, 0.0, 1.0))
    lid.location.z += size_m * 0.625
    lid.parent = body
    lid.matrix_parent_inverse.translation = (-0.4, 0.0, -1.0)
    material = new_material("paint", (0.6, 0.2, 0.1))
    _write_png(texture)
    node = material.node_tree.nodes.new("ShaderNodeTexImage")
    node.image = bpy.data.images.load(str(texture))
    shader = material.node_tree.nodes["Principled BSDF"]
    material.node_tree.links.new(node.outputs["Color"], shader.inputs["Base Color"])
    body.data.materials.append(material)
    body.data.uv_layers.new()
    lid.data.materials.append(new_material("lid", (0.1, 0.3, 0.6), glow=glow))
    add_camera(scene, (0.0, -3.0, 1.0))
    add_lamp(scene, "Lamp", "POINT", 100.0, (1.0, -1.0, 2.0))
    with captured_output():
        bpy.ops.export_scene.gltf(
            filepath=str(path), export_format="GLB", export_lights=True, export_cameras=True
        )
    return path


def make_obj(path: Path, *, has_faces: bool = True, has_texture: bool = True) -> Path:
    """Write a pyramid of 120 by 120 by 90, as from a program that counts in millimetres."""
    corners = [(-60, 0, -60), (60, 0, -60), (60, 0, 60), (-60, 0, 60), (0, 90, 0)]
    lines = [f"mtllib {path.stem}.mtl", "o pyramid"]
    lines += [f"v {x} {y} {z}" for x, y, z in corners]
    lines += ["vt 0 0", "vt 1 0", "vt 0.5 1"]
    if has_faces:
        lines.append("usemtl clay")
        lines += ["f 1/1 2/2 3/3", "f 1/1 3/2 4/3"]
        lines += [f"f {a}/1 5/3 {b}/2" for a, b in ((1, 2), (2, 3), (3, 4), (4, 1))]
    path.write_text("\n".join(lines) + "\n")
    path.with_suffix(".mtl").write_text("newmtl clay\nKd 0.7 0.4 0.3\nmap_Kd clay.png\n")
    if has_texture:
        _write_png(path.with_name("clay.png"))
    return path


def sky_pixels(height_px: int = 16) -> NDArray[np.float32]:
    """Return an equirectangular sky, (H, 2 H, 3), bottom row first, with a strong sun."""
    pixels = np.zeros((height_px, 2 * height_px, 3), np.float32)
    pixels[: height_px // 2] = (0.2, 0.15, 0.1)
    pixels[height_px // 2 :] = (0.4, 0.6, 1.0)
    pixels[height_px * 3 // 4, height_px] = 4000.0
    return pixels


def make_hdri(path: Path, pixels_HW3: NDArray[np.float32] | None = None) -> Path:
    """Write an HDRI through Blender, .hdr or .exr by its name; as data, so that it stays linear."""
    import bpy

    pixels = sky_pixels() if pixels_HW3 is None else pixels_HW3
    height, width, _ = pixels.shape
    image = bpy.data.images.new(path.stem, width, height, float_buffer=True, is_data=True)
    rgba = np.concatenate([pixels, np.ones((height, width, 1), np.float32)], axis=-1)
    image.pixels.foreach_set(rgba.ravel())
    image.file_format = {".hdr": "HDR", ".exr": "OPEN_EXR"}[path.suffix]
    image.filepath_raw = str(path)
    image.save()
    bpy.data.images.remove(image)
    return path


def make_rigged_glb(path: Path) -> Path:
    """Save a flat cloth, 30 cm long, laid on its side by a bone, with a shape key of 5 cm."""
    import bpy

    from render.blender.session import captured_output

    scene = _empty_scene()
    cloth = add_box(scene, "Cloth", (0.3, 0.1, 0.02), (0.0, 0.0, 0.0))
    cloth.shape_key_add(name="Basis", from_mix=False)
    wave = cloth.shape_key_add(name="wave", from_mix=False)
    for point in wave.data:
        point.co.z += 0.05 if point.co.x > 0.1 else 0.0
    rig = bpy.data.objects.new("Rig", bpy.data.armatures.new("Rig"))
    scene.collection.objects.link(rig)
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    bone = rig.data.edit_bones.new("bone")
    bone.tail = (0.0, 0.2, 0.0)
    bpy.ops.object.mode_set(mode="OBJECT")
    group = cloth.vertex_groups.new(name="bone")
    group.add(list(range(len(cloth.data.vertices))), 1.0, "REPLACE")
    cloth.parent = rig
    cloth.modifiers.new("rig", "ARMATURE").object = rig
    rig.pose.bones["bone"].rotation_mode = "XYZ"
    rig.pose.bones["bone"].rotation_euler = (0.0, math.pi / 2, 0.0)
    with captured_output():
        bpy.ops.export_scene.gltf(
            filepath=str(path), export_format="GLB", export_rest_position_armature=False
        )
    return path
