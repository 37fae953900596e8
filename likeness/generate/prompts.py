"""What a model does not read of a prompt."""

from typing import TYPE_CHECKING

from likeness.world.tokenizer import unknown_words

if TYPE_CHECKING:
    from transformers import CLIPTokenizer


def unread(tokenizer: "CLIPTokenizer", prompt: str, whole_words: bool) -> str | None:
    """What of a prompt is lost on the model, as one phrase; None when nothing is.

    A prompt is cut where the tokenizer's positions (77, two of them taken) end. ``whole_words``:
    the vocabulary holds every word that the model knows, so a word in pieces is one it never saw;
    elsewhere rare words fall into pieces and are known all the same. A learned word is known.
    """
    parts = []
    tokens = tokenizer(prompt, truncation=False, verbose=False)["input_ids"]
    positions = int(tokenizer.model_max_length)
    if len(tokens) > positions:
        lost = str(tokenizer.decode(tokens[positions - 1 : -1])).strip()
        parts.append(f"cut at {positions} tokens, not read: {lost}")
    for learned in tokenizer.get_added_vocab():
        prompt = prompt.replace(learned, " ")
    unknown = unknown_words(tokenizer, prompt) if whole_words else []
    if unknown:
        parts.append(f"unknown words: {', '.join(unknown)}")
    return "; ".join(parts) or None
