"""A thin layer over Blender's shader nodes: one method a node, sockets in, socket out."""

from collections.abc import Sequence
from typing import Any

from render.blender.finishes import Rgb

Vector = tuple[float, float, float]


class NodeGraph:
    """The node tree of a material or world, emptied."""

    def __init__(self, tree: Any) -> None:
        self.tree = tree
        tree.nodes.clear()

    def node(self, kind: str, inputs: dict[str, Any], **settings: Any) -> Any:
        """Add a node; inputs are sockets to link or values to set, by socket name."""
        node = self.tree.nodes.new(kind)
        for name, value in settings.items():
            setattr(node, name, value)
        for name, value in inputs.items():
            self.feed(node.inputs[name], value)
        return node

    def feed(self, socket: Any, value: Any) -> None:
        """Link a socket, or set its default to a number or tuple; a colour gets its alpha."""
        if hasattr(value, "is_output"):
            self.tree.links.new(value, socket)
        elif socket.type == "RGBA":
            socket.default_value = (*value, 1.0)
        else:
            socket.default_value = value

    def object_coordinates(self, offset_m: Vector = (0.0, 0.0, 0.0)) -> Any:
        """Position in the object's own space, metres, shifted so that no two look alike."""
        own = self.node("ShaderNodeTexCoord", {}).outputs["Object"]
        return self.vector("ADD", own, offset_m)

    def vector(self, operation: str, a: Any, b: Any) -> Any:
        """Vector arithmetic of two vectors or colours."""
        node = self.node("ShaderNodeVectorMath", {}, operation=operation)
        self.feed(node.inputs[0], a)
        self.feed(node.inputs[1], b)
        return node.outputs["Vector"]

    def scaled(self, vector: Any, factor: Any) -> Any:
        """A vector or colour times a number, which may be a socket."""
        node = self.node("ShaderNodeVectorMath", {"Scale": factor}, operation="SCALE")
        self.feed(node.inputs[0], vector)
        return node.outputs["Vector"]

    def axis(self, vector: Any, name: str) -> Any:
        """The X, Y or Z of a vector."""
        return self.node("ShaderNodeSeparateXYZ", {"Vector": vector}).outputs[name]

    def combine(self, x: Any, y: Any, z: Any) -> Any:
        """A vector of three numbers."""
        return self.node("ShaderNodeCombineXYZ", {"X": x, "Y": y, "Z": z}).outputs["Vector"]

    def math(self, operation: str, a: Any, b: Any = 0.0, c: Any = 0.0) -> Any:
        """Arithmetic of up to three numbers; MULTIPLY_ADD is a * b + c."""
        node = self.node("ShaderNodeMath", {}, operation=operation)
        for socket, value in zip(node.inputs, (a, b, c), strict=True):
            self.feed(socket, value)
        return node.outputs["Value"]

    def noise(self, vector: Any, scale: float, detail: float = 2.0, distortion: float = 0.0) -> Any:
        """Fractal noise around 0.5; `scale` is features per metre."""
        inputs = {"Vector": vector, "Scale": scale, "Detail": detail, "Distortion": distortion}
        return self.node("ShaderNodeTexNoise", inputs).outputs[0]

    def white_noise(self, value: Any) -> Any:
        """A number in [0, 1) that hashes another."""
        node = self.node("ShaderNodeTexWhiteNoise", {"W": value}, noise_dimensions="1D")
        return node.outputs["Value"]

    def cells(self, vector: Any, scale: float, randomness: float = 1.0) -> Any:
        """Distance to the nearest of scattered points (Voronoi); `scale` is points per metre."""
        inputs = {"Vector": vector, "Scale": scale, "Randomness": randomness}
        return self.node("ShaderNodeTexVoronoi", inputs).outputs["Distance"]

    def ramp(self, factor: Any, stops: Sequence[tuple[float, Rgb]]) -> Any:
        """Colour by a number in [0, 1], linear between the stops."""
        node = self.node("ShaderNodeValToRGB", {"Fac": factor})
        elements = node.color_ramp.elements
        while len(elements) < len(stops):
            elements.new(1.0)
        for element, (position, colour) in zip(elements, stops, strict=True):
            element.position, element.color = position, (*colour, 1.0)
        return node.outputs["Color"]

    def step(self, factor: Any, low: float, high: float) -> Any:
        """0 below `low`, 1 above `high`, smooth between; `low` may exceed `high`."""
        inputs = {"Value": factor, "From Min": low, "From Max": high}
        node = self.node("ShaderNodeMapRange", inputs, interpolation_type="SMOOTHSTEP")
        return node.outputs["Result"]

    def lerp(self, factor: Any, first: Any, second: Any) -> Any:
        """The numbers first to second by a factor in [0, 1]."""
        return self.math("MULTIPLY_ADD", self.math("SUBTRACT", second, first), factor, first)

    def blend(self, factor: Any, first: Any, second: Any) -> Any:
        """The colours first to second by a factor in [0, 1]."""
        rest = self.math("SUBTRACT", 1.0, factor)
        return self.vector("ADD", self.scaled(first, rest), self.scaled(second, factor))

    def attribute(self, name: str) -> Any:
        """A number that the mesh carries, 0 where it carries none of that name."""
        return self.node("ShaderNodeAttribute", {}, attribute_name=name).outputs["Fac"]

    def bump(self, height: Any, distance_m: float, strength: float = 1.0) -> Any:
        """A normal bent by a height in [0, 1] that spans `distance_m`."""
        inputs = {"Height": height, "Distance": distance_m, "Strength": strength}
        return self.node("ShaderNodeBump", inputs).outputs["Normal"]

    def principled(self, inputs: dict[str, Any]) -> Any:
        """The Principled BSDF, by socket names."""
        return self.node("ShaderNodeBsdfPrincipled", inputs).outputs["BSDF"]

    def mixed(self, factor: Any, first: Any, second: Any) -> Any:
        """Two shaders mixed."""
        node = self.node("ShaderNodeMixShader", {})
        for socket, value in zip(node.inputs, (factor, first, second), strict=True):
            self.feed(socket, value)
        return node.outputs["Shader"]

    def surface(self, shader: Any) -> None:
        """Make a shader the material's surface."""
        self.node("ShaderNodeOutputMaterial", {"Surface": shader})
