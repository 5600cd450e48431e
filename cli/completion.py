"""``arcomp completion``: what makes a shell complete verbs, options, models, presets and files."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

from arcomp.cli.console import Console
from arcomp.cli.options import examples, terse

VARIABLE = "_ARCOMP_COMPLETE"
"""By which a shell asks, as click has it."""
EXAMPLES = examples(
    'eval "$(arcomp completion bash)"       # in ~/.bashrc',
    'eval "$(arcomp completion zsh)"        # in ~/.zshrc',
    "arcomp completion fish | source        # in ~/.config/fish/config.fish",
)


@click.command("completion", short_help="Make a shell complete.", epilog=EXAMPLES)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@terse
def command(console: Console, shell: str) -> int:
    """Print what makes a shell complete verbs, options, models, presets and files."""
    from arcomp.cli.group import group

    found = get_completion_class(shell)
    assert found is not None
    script = found(group, {}, "arcomp", VARIABLE)
    print(script.source_template % script.source_vars())
    return 0
