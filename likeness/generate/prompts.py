"""What a model does not read of a prompt."""

from typing import TYPE_CHECKING

from likeness.world.tokenizer import is_of_whole_words, unknown_words

if TYPE_CHECKING:
    from transformers import CLIPTokenizer


def unread(tokenizer: "CLIPTokenizer", prompt: str) -> str | None:
    """What of a prompt is lost on the model, as one phrase; None when nothing is.

    What is cut off, and unknown words: where the vocabulary holds every word that the model knows,
    a word in pieces is one it never saw; elsewhere rare words fall into pieces and are known all
    the same. A learned word is known.
    """
    parts = [cut_off(tokenizer, prompt)]
    for learned in tokenizer.get_added_vocab():
        prompt = prompt.replace(learned, " ")
    unknown = unknown_words(tokenizer, prompt) if is_of_whole_words(tokenizer) else []
    if unknown:
        parts.append(f"unknown words: {', '.join(unknown)}")
    return "; ".join(filter(None, parts)) or None


def cut_off(tokenizer: "CLIPTokenizer", prompt: str) -> str | None:
    """What stands behind the tokenizer's positions (77, two of them taken); None without."""
    tokens = tokenizer(prompt, truncation=False, verbose=False)["input_ids"]
    positions = int(tokenizer.model_max_length)
    if len(tokens) <= positions:
        return None
    lost = str(tokenizer.decode(tokens[positions - 1 : -1])).strip()
    return f"cut at {positions} tokens, not read: {lost}"
