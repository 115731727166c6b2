"""Untrained encoders of a few thousand weights, in folders as the real ones lie in."""

from pathlib import Path

from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import BertPreTokenizer
from tokenizers.processors import BertProcessing, RobertaProcessing


def write_tiny_bert(folder: Path, words: list[str]) -> None:
    """A BERT that knows some words."""
    import torch
    from transformers import BertConfig, BertModel

    torch.manual_seed(0)
    size = _write_tokenizer(folder, ["[PAD]", "[UNK]", "[CLS]", "[SEP]", *words], "[UNK]")
    config = BertConfig(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=4,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config, add_pooling_layer=False).save_pretrained(folder)


def write_tiny_mpnet(folder: Path, words: list[str], *, layers: int = 6) -> None:
    """An MPNet that knows some words, its matrices no more exact than bfloat16."""
    import torch
    from transformers import MPNetConfig, MPNetModel

    torch.manual_seed(0)
    size = _write_tokenizer(folder, ["<s>", "<pad>", "</s>", "<unk>", *words], "<unk>")
    config = MPNetConfig(
        vocab_size=size,
        hidden_size=32,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=514,
    )
    model = MPNetModel(config, add_pooling_layer=False)
    with torch.no_grad():
        for weights in model.parameters():
            weights += 0.2 * torch.randn_like(weights)
            weights.copy_(weights.bfloat16())
    model.save_pretrained(folder)


def _write_tokenizer(folder: Path, vocabulary: list[str], unknown: str) -> int:
    numbers = {word: number for number, word in enumerate(vocabulary)}
    tokenizer = Tokenizer(WordLevel(numbers, unk_token=unknown))
    tokenizer.pre_tokenizer = BertPreTokenizer()
    if "[SEP]" in numbers:
        tokenizer.post_processor = BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    else:
        tokenizer.post_processor = RobertaProcessing(("</s>", 2), ("<s>", 0), add_prefix_space=False)
    tokenizer.save(str(folder / "tokenizer.json"))
    return len(vocabulary)
