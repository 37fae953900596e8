"""The one training loop: seeded per step, checkpointed, killed and resumed to the same weights."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from likeness.errors import BadInput

if TYPE_CHECKING:
    import torch

log = logging.getLogger("likeness")
SAY_EVERY_SECONDS = 5.0


class Plan(BaseModel):
    """How long and how fast."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    steps: int = Field(ge=1)
    learning_rate: float = Field(gt=0, le=1)
    optimizer: Literal["adamw", "muon"] = Field(
        "adamw", description="muon: AdamW for vectors, and Muon for matrices and convolutions"
    )
    schedule: Literal["one_cycle", "constant"] = Field(
        "one_cycle", description="one_cycle: warm-up over 5 % of the steps, then a cosine to zero"
    )
    weight_decay: float = Field(0.0, ge=0)
    clip_norm: float | None = Field(
        1.0, gt=0, description="of the gradient over all that is trained; none: as it is"
    )
    ema: float | None = Field(
        None, gt=0, lt=1, description="decay of averaged weights, which are then what is kept"
    )
    precision: Literal["float32", "bfloat16"] = Field(
        "float32", description="of the products; weights and moments stay float32"
    )
    seed: int = 0
    checkpoint_steps: int = Field(200, ge=1)
    gradient_accumulation_steps: int = Field(
        1, ge=1, description="micro-steps whose mean gradient makes one step"
    )


# What a micro-step computes: the key "loss" is minimised, all are shown. All randomness comes from
# the generator, which is seeded by the step: a resumed run draws what an uninterrupted one would.
# The micro-steps of a step draw from it in turn, so that a loss which draws row by row sees the
# same chance however its batch is divided.
LossOf = Callable[[int, "torch.Generator"], "dict[str, torch.Tensor]"]
# Called behind each checkpoint with the number of steps done and the curve, the module holding the
# weights that would be kept now (averaged ones, if there are any).
AtCheckpoint = Callable[[int, list[dict[str, float]]], None]


def learning_rate_at(step: int, plan: Plan) -> float:
    """The learning rate of a step, counted from 0.

    ``one_cycle``: a straight rise over the first twentieth, then half a cosine down to 0.
    """
    if plan.schedule == "constant":
        return plan.learning_rate
    warm = max(1, round(0.05 * plan.steps))
    if step < warm:
        return plan.learning_rate * (step + 1) / warm
    done = (step - warm) / max(1, plan.steps - warm)
    return plan.learning_rate * 0.5 * (1 + math.cos(math.pi * done))


def generator_of(seed: int, step: int) -> "torch.Generator":
    """The only source of chance of one step."""
    import torch

    return torch.Generator().manual_seed((seed * 1_000_003 + step) % 2**63)


def train(
    module: "torch.nn.Module",
    loss_of: LossOf,
    plan: Plan,
    scratch: Path,
    what: str,
    at_checkpoint: AtCheckpoint | None = None,
) -> list[dict[str, float]]:
    """Train the parameters of ``module`` that want gradients, in place; return the curve.

    A killed run goes on behind its last checkpoint in ``scratch`` and ends with the same weights
    as one that was not killed. Rows of the curve: step, seconds, and the mean of each value since
    the row before (since the checkpoint, where a run went on). ``at_checkpoint`` is called once
    for each checkpoint; again only for the one during which the run was killed. Raises ``BadInput``
    when there is nothing to train, when weights are not float32, when the loss is no number any
    more, and when the checkpoint is of another plan.
    """
    state = _State(module, plan)
    checkpoint = scratch / "checkpoint"
    curve = state.load(checkpoint)
    if curve:
        log.info("%s: goes on behind step %d of %d", what, state.step, plan.steps)
    watch = _Watch(what, plan.steps, state.step, curve)
    if state.step > 0:
        _call(at_checkpoint, state, watch, checkpoint)
    for step in range(state.step, plan.steps):
        watch.see(step, state.one(step, loss_of))
        if state.step % plan.checkpoint_steps == 0 or state.step == plan.steps:
            state.save(checkpoint, watch.rows())
            _call(at_checkpoint, state, watch, checkpoint)
    state.keep_average()
    return watch.rows()


def _call(hook: AtCheckpoint | None, state: "_State", watch: "_Watch", checkpoint: Path) -> None:
    """Call the hook for the checkpoint just saved or loaded, unless that has been done."""
    done = checkpoint / "hook_done_for"
    if hook is None or (done.exists() and done.read_text() == str(state.step)):
        return
    began = time.monotonic()
    state.swap_average()
    hook(state.step, [dict(row) for row in watch.rows()])
    state.swap_average()
    half = checkpoint / "hook_done_for.next"
    half.write_text(str(state.step))
    half.replace(done)
    watch.leave_out(time.monotonic() - began)


class _State:
    """Module, optimiser and average; all that a checkpoint holds."""

    def __init__(self, module: "torch.nn.Module", plan: Plan) -> None:
        import torch

        self.module, self.plan, self.step = module, plan, 0
        self.loss: float | torch.Tensor = math.nan
        self.trained = {n: p for n, p in module.named_parameters() if p.requires_grad}
        self._check()
        self.device = next(iter(self.trained.values())).device
        self.optimizers = list(_optimizers(module, list(self.trained.values()), plan))
        self.average: dict[str, torch.Tensor] = {}
        if plan.ema is not None:
            self.average = {n: p.detach().clone() for n, p in self.trained.items()}

    def _check(self) -> None:
        """Halves as master weights would lose most small updates without a word."""
        if not self.trained:
            raise BadInput("there is nothing to train: no parameter wants a gradient")
        import torch

        for name, parameter in self.trained.items():
            if parameter.dtype != torch.float32:
                raise BadInput(f"{name} is {parameter.dtype}: load what is trained as float32")

    def one(self, step: int, loss_of: LossOf) -> "dict[str, torch.Tensor]":
        import torch

        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = learning_rate_at(step, self.plan)
        parts = self.plan.gradient_accumulation_steps
        generator = generator_of(self.plan.seed, step)
        means: dict[str, torch.Tensor] = {}
        for _ in range(parts):
            for name, value in self._micro(step, loss_of, generator).items():
                means[name] = means.get(name, 0.0) + value / parts
        if self.plan.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(self.trained.values(), self.plan.clip_norm)
        for optimizer in self.optimizers:
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        self.step, self.loss = step + 1, means["loss"]
        self._follow()
        return means

    def _micro(
        self, step: int, loss_of: LossOf, generator: "torch.Generator"
    ) -> "dict[str, torch.Tensor]":
        """Add this part's share to the gradients."""
        import torch

        low = self.plan.precision == "bfloat16"
        with torch.autocast(self.device.type, dtype=torch.bfloat16, enabled=low):
            values = loss_of(step, generator)
        (values["loss"] / self.plan.gradient_accumulation_steps).backward()
        return {name: value.detach() for name, value in values.items()}

    def _follow(self) -> None:
        """Move the average; early on it follows closely, or it would keep the first weights.

        The rise of its decay, (1 + n) / (10 + n), is that of TensorFlow's
        ExponentialMovingAverage.
        """
        if self.plan.ema is None:
            return
        import torch

        weight = 1 - min(self.plan.ema, (1 + self.step) / (10 + self.step))
        now = [p.detach() for p in self.trained.values()]
        torch._foreach_lerp_(list(self.average.values()), now, weight)

    def keep_average(self) -> None:
        for name, value in self.average.items():
            self.trained[name].data.copy_(value)

    def swap_average(self) -> None:
        """Exchange weights and average without a copy; a second time puts them back."""
        for name, average in self.average.items():
            parameter = self.trained[name]
            self.average[name], parameter.data = parameter.data, average

    def _tensors(self) -> "Iterator[tuple[str, torch.Tensor]]":
        for name, parameter in self.trained.items():
            yield f"weight/{name}", parameter.detach()
            for optimizer in self.optimizers:
                for key, value in optimizer.state.get(parameter, {}).items():
                    yield f"{key}/{name}", value
        for name, value in self.average.items():
            yield f"average/{name}", value

    def save(self, folder: Path, curve: list[dict[str, float]]) -> None:
        from safetensors.torch import save_file

        if not math.isfinite(float(self.loss)):
            raise BadInput(
                f"the loss is no number any more before step {self.step}: lower the learning rate"
            )
        folder.mkdir(parents=True, exist_ok=True)
        # Copies (channels last are not contiguous) are made beside the memory of a GPU.
        tensors = {name: value.cpu().contiguous() for name, value in self._tensors()}
        # One file written aside and renamed: a kill while saving leaves the checkpoint before.
        note = {
            "step": str(self.step),
            "curve": json.dumps(curve),
            "plan": self.plan.model_dump_json(),
        }
        save_file(tensors, folder / "next.safetensors", note)
        (folder / "next.safetensors").replace(folder / "state.safetensors")

    def load(self, folder: Path) -> list[dict[str, float]]:
        import torch
        from safetensors import safe_open

        file = folder / "state.safetensors"
        if not file.exists():
            return []
        with safe_open(file, framework="pt") as held, torch.no_grad():
            note = held.metadata()
            # Not by its text: a field that came later has its default in an older checkpoint.
            if Plan.model_validate_json(note["plan"]) != self.plan:
                raise BadInput(f"{file} is a checkpoint of another plan: remove it to start anew")
            for name, parameter in self.trained.items():
                parameter.copy_(held.get_tensor(f"weight/{name}"))
            for optimizer in self.optimizers:
                self._load_state(optimizer, held)
            for name, value in self.average.items():
                value.copy_(held.get_tensor(f"average/{name}"))
        self.step = int(note["step"])
        return list(json.loads(note["curve"]))

    def _load_state(self, optimizer: "torch.optim.Optimizer", held: Any) -> None:
        """What the optimiser remembers of each of its parameters, by the parameter's name."""
        import torch

        mine = {id(p) for group in optimizer.param_groups for p in group["params"]}
        stored = set(held.keys())
        for name, parameter in self.trained.items():
            if id(parameter) not in mine:
                continue
            for key in ("step", "exp_avg", "exp_avg_sq", "momentum"):
                if f"{key}/{name}" in stored:
                    # A fused optimiser counts its steps where the parameter is.
                    value = held.get_tensor(f"{key}/{name}").to(parameter.device)
                    if key != "step":
                        # In the order in which the parameter lies in memory (channels last, maybe):
                        # fused steps walk through both side by side.
                        value = torch.empty_like(parameter, requires_grad=False).copy_(value)
                    optimizer.state[parameter][key] = value


def _optimizers(
    module: "torch.nn.Module", parameters: "list[torch.nn.Parameter]", plan: Plan
) -> "Iterator[torch.optim.Optimizer]":
    """One for each kind of parameter that there is; a table of embeddings is no matrix."""
    import torch

    from likeness.finetune.muon import is_matrix, muon

    tables = {id(m.weight) for m in module.modules() if isinstance(m, torch.nn.Embedding)}
    wanted = [p for p in parameters if id(p) not in tables] if plan.optimizer == "muon" else []
    matrices = [p for p in wanted if is_matrix(p)]
    turned = {id(p) for p in matrices}
    others = [p for p in parameters if id(p) not in turned]
    if matrices:
        yield muon(matrices, plan.learning_rate, plan.weight_decay)
    if others:
        yield torch.optim.AdamW(
            others,
            lr=plan.learning_rate,
            weight_decay=plan.weight_decay,
            fused=True,  # elsewhere a twentieth of a step of the small base model
        )


class _Watch:
    """Sums values without waiting for the device at each step; a row every 2 % of the steps."""

    def __init__(self, what: str, steps: int, first: int, curve: list[dict[str, float]]) -> None:
        self.what, self.steps, self.first = what, steps, first
        self.curve = list(curve)
        self.every = max(1, steps // 50)
        self.sums: dict[str, Any] = {}
        self.count = 0
        self.earlier = curve[-1]["seconds"] if curve else 0.0
        self.start = self.said = time.monotonic()

    def see(self, step: int, values: "dict[str, torch.Tensor]") -> None:
        for name, value in values.items():
            self.sums[name] = self.sums.get(name, 0.0) + value
        self.count += 1
        now = time.monotonic()
        if (step + 1) % self.every == 0 or step + 1 == self.steps:
            means = {name: float(total) / self.count for name, total in self.sums.items()}
            seconds = self.earlier + now - self.start
            self.curve.append({"step": step + 1, "seconds": round(seconds, 1), **means})
            self.sums, self.count = {}, 0
        if now - self.said >= SAY_EVERY_SECONDS:
            left = (now - self.start) / (step + 1 - self.first) * (self.steps - step - 1)
            loss = float(values["loss"])
            log.info(
                "%s: step %d of %d, loss %.4f, about %.0f s left",
                self.what,
                step + 1,
                self.steps,
                loss,
                left,
            )
            self.said = now

    def leave_out(self, seconds: float) -> None:
        """Time that was not spent on training."""
        self.start += seconds

    def rows(self) -> list[dict[str, float]]:
        return self.curve
