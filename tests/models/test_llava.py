"""LLaVA reads a picture where its image tokens stand, and writes about it as about words."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
from draws import each_draw_counts

from tinygrad_llm import ops
from tinygrad_llm.autograd import no_grad
from tinygrad_llm.backend import as_dtype, to_device
from tinygrad_llm.errors import CheckpointError, ConfigError, ShapeError
from tinygrad_llm.generate import Reader, Sampler, generate
from tinygrad_llm.models import CLIPVisionConfig, LlamaConfig, LLaVA, LLaVAConfig, from_pretrained, save_pretrained
from tinygrad_llm.models.hugging_face import from_hugging_face, to_hugging_face
from tinygrad_llm.optim import AdamW
from tinygrad_llm.train.fit import fit
from tinygrad_llm.train.step import EagerStep, ThreadedStep

VISION = CLIPVisionConfig(8, 4, 3, n_layer=3, n_head=2, n_embd=8, n_hidden=12)
TEXT = LlamaConfig(13, 24, n_layer=2, n_head=4, n_embd=16, n_hidden=10, n_kv_head=2, rope_base=30.0)
IMAGE = 3
CONFIG = LLaVAConfig(VISION, TEXT, IMAGE)
PICTURES = np.random.default_rng(5).normal(size=(2, 3, 8, 8))
TOKENS = np.array([[1, *[IMAGE] * 4, 7, 8, 9], [1, 5, *[IMAGE] * 4, 11, 2]])
TARGETS = np.array([[ops.IGNORE] * 5 + [8, 9, 2], [ops.IGNORE] * 6 + [2, 10]])
BATCH = {"pictures": PICTURES, "tokens": TOKENS, "targets": TARGETS}
EQUAL = {"rtol": 1e-10, "atol": 1e-10}


def made(dtype=np.float64, **changes):
    model = LLaVA(replace(CONFIG, **changes), rng=np.random.default_rng(0), dtype=dtype)
    rng = np.random.default_rng(1)
    for p in model.parameters():
        p.assign(rng.normal(0, 0.5, p.shape) if p.ndim > 1 else rng.uniform(0.5, 1.5, p.shape))
    return model


def of_vectors(vectors, **options):
    """The language model's logits where these (B, T, D) stand in the places of words."""
    lm, (batch, time, width) = made().language_model, vectors.shape
    ids = np.arange(batch * time).reshape(batch, time)
    lm.embedded = lambda *args: ops.embedding(vectors.reshape(-1, width), ids)
    return lm(np.zeros((batch, time), int), **options).data


# -- what is read ----------------------------------------------------------------------------------------------------


def test_another_picture_changes_what_is_said_from_its_place_on_and_nothing_before_or_in_other_texts():
    model, changed = made(), PICTURES.copy()
    changed[1] += 1
    apart = np.abs(model(changed, TOKENS).data - model(PICTURES, TOKENS).data).max(-1)
    assert apart[0].max() < 1e-12 and apart[1, :2].max() < 1e-12 and (apart[1, 2:] > 1e-3).all()


def test_the_features_stand_in_the_places_of_the_image_tokens_in_their_order():
    model = made()
    features, table = model.features(PICTURES).data, model.language_model.token_embedding.weight.data
    tokens = np.array([[IMAGE, 7, IMAGE, IMAGE, 8, IMAGE], [5, IMAGE, IMAGE, IMAGE, 6, IMAGE]])
    vectors = table[tokens]
    for row in range(2):
        vectors[row, tokens[row] == IMAGE] = features[row]
    np.testing.assert_allclose(model(PICTURES, tokens).data, of_vectors(vectors), **EQUAL)


@pytest.mark.parametrize(("layer", "run"), [(-1, 3), (-2, 2), (-3, 1), (-4, 0), (0, 0), (1, 1), (3, 3)])
@pytest.mark.parametrize("class_token", [False, True])
def test_features_are_the_projected_states_of_one_layer(layer, run, class_token):
    model = made(feature_layer=layer, class_token=class_token)
    tower, projector = model.vision_tower, model.projector
    x = tower.norm_before(tower.embedding(PICTURES))
    for block in tower.blocks[:run]:
        x = block(x)
    x = x.data if class_token else x.data[:, 1:]
    inside = ops.gelu(x @ projector.linear_1.weight.data.T + projector.linear_1.bias.data).data
    expected = inside @ projector.linear_2.weight.data.T + projector.linear_2.bias.data
    np.testing.assert_allclose(model.features(PICTURES).data, expected, **EQUAL)
    assert model.config.n_feature == expected.shape[1] == 4 + class_token


def test_the_loss_is_that_of_the_language_model_of_given_pictures():
    model = made()
    logits = model(PICTURES, TOKENS).data
    logp = logits - np.log(np.exp(logits).sum(-1, keepdims=True))
    each = -np.concatenate([logp[0, [5, 6, 7], [8, 9, 2]], logp[1, [6, 7], [2, 10]]])
    assert model.loss(BATCH).item() == pytest.approx(each.mean(), rel=1e-12)
    assert model.loss(BATCH, divisor=7).item() == pytest.approx(each.sum() / 7, rel=1e-12)
    words = {name: BATCH[name] for name in ("tokens", "targets")}
    found = model.given(PICTURES).token_log_probs(words).data
    np.testing.assert_allclose(-found[TARGETS != ops.IGNORE], each, rtol=1e-10)


def test_experts_are_not_balanced_beside_a_picture():
    text = replace(TEXT, n_experts=3, experts_per_token=2)
    balanced = made(text=replace(text, balance=5.0)).loss(BATCH).item()
    assert balanced == made(text=text).loss(BATCH).item() != made().loss(BATCH).item()


def test_masks_and_positions_of_a_batch_are_read():
    model, mask = made(), np.ones((2, 10), bool)
    padded = np.concatenate([np.zeros((2, 2), int), TOKENS], 1)
    mask[:, :2] = False
    positions = np.maximum(0, np.arange(10) - 2) + np.zeros((2, 1), int)
    targets = np.concatenate([np.full((2, 2), ops.IGNORE), TARGETS], 1)
    batch = {"pictures": PICTURES, "tokens": padded, "targets": targets, "mask": mask, "positions": positions}
    assert model.loss(batch).item() == pytest.approx(model.loss(BATCH).item(), rel=1e-10)
    assert model.loss({n: a for n, a in batch.items() if n != "mask"}).item() != model.loss(BATCH).item()


def test_tokens_stand_where_they_are_said_to_stand():
    model, positions = made(), np.array([0, 1, 2, 3, 9, 11, 20, 21])
    vectors = model.language_model.token_embedding.weight.data[TOKENS]
    for row in range(2):
        vectors[row, TOKENS[row] == IMAGE] = model.features(PICTURES).data[row]
    found = model.given(PICTURES)(TOKENS, positions=positions).data
    np.testing.assert_allclose(found, of_vectors(vectors, positions=positions), **EQUAL)
    assert np.abs(found - model(PICTURES, TOKENS).data).max() > 1e-3


def test_the_gradient_reaches_the_picture_s_encoder_as_far_as_it_is_run():
    model = made()
    model.loss(BATCH).backward()
    for path, p in model.named_parameters():
        unread = path.startswith(("vision_tower.blocks.2", "vision_tower.norm_of_pooled"))
        assert (p.grad is None) == unread and (unread or np.abs(p.grad).max() > 0), path


def test_two_threads_do_the_step_of_one():
    found = []
    for make in (lambda m, o: EagerStep(m.loss, o), lambda m, o: ThreadedStep(m.loss, o, threads=2)):
        model = made(text=replace(TEXT, dropout=0.2))
        step = make(model, AdamW(model.parameters(), lr=0.1))
        result = step([BATCH], 1, 0.1, 5.0)
        step.close()
        found.append((result.loss, result.grad_norm, model.state_dict()))
    assert found[0][:2] == pytest.approx(found[1][:2], rel=1e-10)
    for name, array in found[0][2].items():
        np.testing.assert_allclose(found[1][2][name], array, rtol=1e-7, atol=1e-9, err_msg=name)


def test_the_language_model_drops_and_the_encoder_does_not():
    model = made(text=replace(TEXT, dropout=0.5, n_layer=1))
    stream, weights = (2, 8, 16), (2, 4, 8, 8)
    for call in (lambda rng: model(PICTURES, TOKENS, rng=rng).data, lambda rng: model.loss(BATCH, rng=rng).data):
        each_draw_counts(call, [stream, weights, stream, stream])


def test_activations_may_be_coarser_than_the_weights():
    pytest.importorskip("ml_dtypes")
    model, half = made(np.float32), as_dtype("bfloat16")
    loss = model.loss(BATCH, dtype=half)
    assert model(PICTURES, TOKENS, dtype=half).dtype == half and loss.dtype == np.float32
    assert model.features(PICTURES, dtype=half).dtype == half
    assert 0 < abs(loss.item() / model.loss(BATCH).item() - 1) < 0.05


# -- what is written -------------------------------------------------------------------------------------------------


def test_what_is_read_with_a_cache_is_what_is_read_at_once():
    model = made()
    given, whole = model.given(PICTURES), model(PICTURES, TOKENS).data
    with no_grad():
        cache = given.new_cache(2)
        for start, stop in ((0, 6), (6, 7), (7, 8)):
            found = given(TOKENS[:, start:stop], cache=cache).data
            np.testing.assert_allclose(found, whole[:, start:stop], **EQUAL)
    assert cache.lengths.tolist() == [8, 8]


def test_an_image_token_behind_the_prompt_is_a_word():
    model = made()
    with no_grad():
        given = model.given(PICTURES)
        cache = given.new_cache(2)
        given(TOKENS, cache=cache)
        found = given(np.full((2, 1), IMAGE), cache=cache).data[:, 0]
    whole = np.concatenate([TOKENS, np.full((2, 1), IMAGE)], 1)
    vectors = model.language_model.token_embedding.weight.data[whole]
    for row in range(2):
        vectors[row, :-1][TOKENS[row] == IMAGE] = model.features(PICTURES).data[row]
    np.testing.assert_allclose(found, of_vectors(vectors)[:, -1], **EQUAL)


def greedy(model, picture, prompt, count):
    """One token after the other, each from the whole text anew."""
    text = list(prompt)
    for _ in range(count):
        text.append(int(model(picture[None], np.array([text])).data[0, -1].argmax()))
    return text[len(prompt) :]


def test_a_batch_of_prompts_with_pictures_is_answered_as_each_by_itself():
    model = made()
    prompts = [TOKENS[0].tolist(), TOKENS[1, :7].tolist()]  # of two lengths
    with no_grad():
        given = model.given(PICTURES)
    found = generate(given, prompts, 6, Sampler(greedy=True), np.random.default_rng(0))
    for row, prompt in enumerate(prompts):
        assert found.tokens[row] == greedy(model, PICTURES[row], prompt, 6)
    swapped = generate(model.given(PICTURES[::-1].copy()), prompts, 6, Sampler(greedy=True), np.random.default_rng(0))
    assert swapped.tokens != found.tokens


@pytest.mark.parametrize("patches", [1, 4])
def test_words_behind_a_picture_are_read_by_the_language_models_own_step(patches):
    """A prompt of one image token alone is a picture all the same."""
    vision = replace(VISION, patch_size=VISION.image_size) if patches == 1 else VISION
    given, texts = made(vision=vision).given(PICTURES), [[IMAGE] * patches for _ in range(2)]
    reader = Reader(given, texts)
    assert reader.step is not None or given.device != "cpu"
    for ids in ([4, 5], [IMAGE, 0], [9, IMAGE], [2, 2]):
        reader.feed(np.array(ids))
        texts = [[*text, token] for text, token in zip(texts, ids)]
        alone = [language_model_after(given, row, text, patches) for row, text in enumerate(texts)]
        np.testing.assert_allclose(to_device(reader.logits, "cpu"), alone, **EQUAL)


def language_model_after(given, row, text, patches):
    """The last logits of a picture's text without a cache, the picture's vectors first and then words."""
    lm = given.language_model
    vectors = ops.concat([given.features[row], lm.token_embedding(np.array(text[patches:]))], axis=0)
    return ops.linear(lm.read(vectors[None])[0, -1], *lm.head()).numpy()


def test_several_texts_of_one_picture_go_on_from_one_reading():
    model = made()
    with no_grad():
        given = model.given(PICTURES)
        cache = given.new_cache(2)
        given(TOKENS, cache=cache)
        twice = cache.repeat(2)
        found = given(np.array([[4], [5], [6], [7]]), cache=twice).data[:, 0]
    for row, token in enumerate((4, 5, 6, 7)):
        picture, text = PICTURES[row // 2 : row // 2 + 1], [*TOKENS[row // 2], token]
        np.testing.assert_allclose(found[row], model(picture, np.array([text])).data[0, -1], **EQUAL)


def test_it_learns_to_name_what_a_picture_shows():
    rng, kinds = np.random.default_rng(0), np.arange(8) % 4
    pictures = rng.normal(0, 0.1, (8, 3, 8, 8)).astype(np.float32)
    for picture, kind in zip(pictures, kinds):
        picture[:, 4 * (kind // 2) :, 4 * (kind % 2) :][:, :4, :4] += 1
    tokens = np.tile([1, *[IMAGE] * 4, 5], (8, 1))
    targets = np.full((8, 6), ops.IGNORE)
    targets[:, -1] = 6 + kinds
    model = LLaVA(replace(CONFIG, feature_layer=-1), rng=np.random.default_rng(0))
    batch = {"pictures": pictures, "tokens": tokens, "targets": targets}
    losses = fit(model.loss, AdamW(model.parameters(), lr=0.01), [batch] * 60, threads=1)
    assert losses[-1] < 0.05 < 1 < losses[0]
    np.testing.assert_array_equal(model(pictures, tokens).data[:, -1].argmax(1), 6 + kinds)


# -- what is refused -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("tokens", [
    [[1, 3, 3, 3, 7, 8], [1, 3, 3, 3, 3, 8]], [[3, 3, 3, 3, 3, 8], [1, 3, 3, 3, 3, 8]], [[1, 2], [1, 2]], [[1, 3, 3, 3, 3, 8]],
    [[3, 3, 3, 1, 7, 8], [3, 3, 3, 3, 3, 8]],
])  # fmt: skip
def test_a_text_has_as_many_image_tokens_as_its_picture_has_features(tokens):
    with pytest.raises(ShapeError, match="4 image tokens in each of 2 texts"):
        made()(PICTURES, np.array(tokens))


def test_a_text_that_fills_the_block_loses_its_picture_and_says_so():
    model = made(text=replace(TEXT, block_size=9))
    with pytest.raises(ShapeError, match="longer than the block"):
        generate(model.given(PICTURES), TOKENS.tolist(), 6, Sampler(greedy=True), np.random.default_rng(0))
    with pytest.raises(ShapeError, match="block_size = 9"):
        model(PICTURES, np.concatenate([TOKENS, TOKENS], 1))


def test_impossible_configurations_are_refused():
    for name, value in (("image_id", 13), ("image_id", -1), ("feature_layer", 4), ("feature_layer", -5), ("activation", "tanh"),
                        ("feature_layer", 1.0)):  # fmt: skip
        with pytest.raises(ConfigError, match=name):
            replace(CONFIG, **{name: value})


# -- files -----------------------------------------------------------------------------------------------------------


FAMILIES = {
    "llama": {}, "mistral": {"window": 5}, "qwen2": {"qkv_bias": True, "out_bias": False, "tied": True},
    "qwen3": {"qk_norm": True, "head_size": 6}, "mixtral": {"n_experts": 3, "experts_per_token": 2},
}  # fmt: skip


@pytest.mark.parametrize("family", FAMILIES)
def test_what_is_saved_opens_to_the_same_bits(family, tmp_path):
    text = replace(TEXT, **FAMILIES[family])
    model = made(text=text, feature_layer=3, class_token=True, activation="relu", projector_bias=False)
    config = to_hugging_face(model)[0]
    assert config["text_config"]["model_type"] == family and config["vision_feature_select_strategy"] == "full"
    save_pretrained(model, tmp_path)
    again = from_pretrained(tmp_path, np.float64)
    assert type(again) is LLaVA and again.config == model.config
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, err_msg=name)


def test_older_files_open():
    model = made()
    config, arrays = to_hugging_face(model)
    old = {name.replace("vision_tower.", "vision_tower.vision_model."): array for name, array in arrays.items()}
    old |= {"vision_tower.vision_model.embeddings.position_ids": np.arange(5)[None]}
    config |= {"ignore_index": -100, "pad_token_id": 12, "vocab_size": 13, "image_seq_length": 576}
    again = from_hugging_face(config, old, np.float64)
    words = {name: value for name, value in config["text_config"].items() if name != "rope_theta"}
    newer = config | {"text_config": words | {"rope_parameters": {"rope_type": "default", "rope_theta": 7.0}}}
    assert from_hugging_face(newer, arrays).config == replace(CONFIG, text=replace(TEXT, rope_base=7.0))
    for name, array in model.state_dict().items():
        np.testing.assert_array_equal(again.state_dict()[name], array, err_msg=name)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"vision_feature_select_strategy": "cls"}, "vision_feature_select_strategy"), ({"vision_feature_layer": [-2, -5]}, "vision_feature_layer"),
        ({"vision_feature_layer": 9}, "feature_layer"), ({"image_token_index": 13}, "image_id"), ({"spam": 1}, "spam"),
        ({"tie_word_embeddings": True}, "tie_word_embeddings"), ({"projector_hidden_act": "mish"}, "activation"),
        ({"multimodal_projector_bias": False}, "multi_modal_projector.linear_1.bias"), ({"vocab_size": 12}, "vocab_size"),
        ({"text_config": {"model_type": "gemma"}}, "text_config.model_type: expected one of llama, mistral, qwen2, qwen3, mixtral, got 'gemma'"),
        ({"vision_config": {"model_type": "siglip"}}, "vision_config.model_type"),
        ({"text_config": 3}, "text_config"), ({"vision_config": None}, "vision_config"),
    ],
)  # fmt: skip
def test_options_that_are_not_known_are_refused_by_their_name(changes, named):
    config, arrays = to_hugging_face(made())
    with pytest.raises(CheckpointError, match=re.escape(named)):
        from_hugging_face(config | changes, arrays)


def test_what_is_not_known_of_a_part_is_refused_by_its_name():
    config, arrays = to_hugging_face(made())
    for part, key, value in (
        ("text_config", "rope_scaling", {"rope_type": "spiral", "factor": 2.0}), ("text_config", "hidden_act", "gelu"),
        ("text_config", "num_attention_heads", 6), ("vision_config", "attention_dropout", 0.1), ("text_config", "spam", 1),
    ):  # fmt: skip
        with pytest.raises(CheckpointError, match="text_config|vision_config|text.n_head"):
            from_hugging_face(config | {part: config[part] | {key: value}}, arrays)
