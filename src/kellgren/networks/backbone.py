"""A timm backbone with a new head, fed with grey regions."""

from pathlib import Path

import timm
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from kellgren import errors


class Backbone(nn.Module):
    """Any timm classifier on one grey channel, repeated to the three it was made for.

    Parameters
    ----------
    architecture
        A name of timm's registry, such as ``mobilenetv2_100``.
    classes
        Outputs of the new head.
    dropout
        Before the head.
    """

    def __init__(self, architecture: str, *, classes: int, dropout: float) -> None:
        super().__init__()
        self.body: nn.Module = timm.create_model(
            architecture, pretrained=False, num_classes=classes, drop_rate=dropout
        )
        # timm's own start of a five-class head (±0.45) gives losses of 10 and shakes what was
        # pretrained; a small head lets the first steps be about the features.
        for name, parameter in self._head().named_parameters():
            nn.init.normal_(parameter, std=0.01) if name == "weight" else nn.init.zeros_(parameter)

    def forward(self, region: Tensor) -> Tensor:
        """Logits (B, classes) of regions (B, 1, H, W)."""
        logits: Tensor = self.body(region.expand(-1, 3, -1, -1))
        return logits

    def load_pretrained(self, source: str) -> None:
        """Start from ImageNet: a safetensors file with timm's names, or a name timm can fetch.

        Raises
        ------
        TrainingError
            The file cannot be read, or its weights do not fit this architecture.
        """
        path = Path(source)
        if path.suffix == ".safetensors":
            try:
                weights = load_file(path)
            except (OSError, SafetensorError) as error:
                raise errors.TrainingError(
                    f"{source}: cannot be read as weights ({error}). Check the path."
                ) from error
        else:
            weights = timm.create_model(source, pretrained=True).state_dict()
        prefix = next(name for name, module in self.body.named_modules() if module is self._head())
        head = {name for name, _ in self._head().named_parameters(prefix)}
        body = {name: tensor for name, tensor in weights.items() if name not in head}
        try:
            missing, unexpected = self.body.load_state_dict(body, strict=False)
        except RuntimeError as error:  # the same names with other shapes
            raise errors.TrainingError(
                f"{source}: these weights are of another architecture (other shapes)."
            ) from error
        lacking = set(missing) - head
        if lacking or unexpected:
            raise errors.TrainingError(
                f"{source}: these weights are of another architecture "
                f"({len(lacking)} missing, {len(unexpected)} unknown names)."
            )

    def _head(self) -> nn.Module:
        head: nn.Module = self.body.get_classifier()  # type: ignore[operator] # timm's own method
        return head
