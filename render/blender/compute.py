"""Which device Cycles computes on: the one that the manifest names, or an error."""

from typing import Any

import bpy

from cat_dataset.errors import SceneError

CPU = "CPU"


def check_device(device: str) -> None:
    """Raise SceneError where this machine or this Blender cannot render on a device.

    Raises:
        SceneError: names what there is instead.
    """
    if device != CPU:
        _enable(device)


def use_device(scene: Any, device: str) -> None:
    """Render `scene` (mutated) on a device; never on another one.

    Raises:
        SceneError: there is no such device.
    """
    if device == CPU:
        scene.cycles.device = "CPU"
        return
    _enable(device)
    scene.cycles.device = "GPU"


def _enable(device: str) -> None:
    """Switch Cycles to all devices of one kind, and to no other."""
    preferences = bpy.context.preferences.addons["cycles"].preferences
    offered = [kind for kind, *_ in preferences.get_device_types(bpy.context) if kind != "NONE"]
    if device not in offered:
        msg = (
            f"device {device}: this Blender offers {', '.join(offered) or 'none'}; "
            f'set device = "CPU" or one of these in the manifest'
        )
        raise SceneError(msg)
    preferences.compute_device_type = device
    found = list(preferences.get_devices_for_type(device))
    for item in found:
        item.use = item.type == device
    if not any(item.type == device for item in found):
        msg = (
            f"device {device}: none found on this machine; install its driver, "
            f'or set device = "CPU" in the manifest'
        )
        raise SceneError(msg)
