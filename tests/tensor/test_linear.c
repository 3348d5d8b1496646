/* SPDX-License-Identifier: GPL-2.0-or-later */
/* linear: tensors of real checkpoints, by the names and shapes that their libraries give them. */
#include "../check.h"
#include "tensor/linear.h"

/* A tensor of a checkpoint; a shape that ends with 0 has fewer dimensions. */
struct named {
	const char *name;
	uint64_t shape[4];
	enum dfs_dtype dtype;	/* 0: BF16 */
};

static void check_role(const struct named *t, enum dfs_role want)
{
	struct dfs_tensor tensor = { .name = t->name, .dtype = t->dtype ? t->dtype : DFS_BF16 };

	for (; tensor.rank < 4 && t->shape[tensor.rank]; tensor.rank++)
		tensor.shape[tensor.rank] = t->shape[tensor.rank];
	if (dfs_tensor_role(&tensor) != want)
		fail_msg("%s: %s, not %s", t->name, dfs_role_name(dfs_tensor_role(&tensor)), dfs_role_name(want));
}

#define CHECK_ROLES(list, want)							\
	for (size_t i_ = 0; i_ < sizeof(list) / sizeof(*(list)); i_++)		\
		check_role(&(list)[i_], want)

static void layers_of_decoders(void **state)
{
	static const struct named linear[] = {
		/* Llama, Qwen2, Qwen3, Gemma, Mistral */
		{ "model.layers.0.self_attn.q_proj.weight", { 4096, 4096 }, 0 },
		{ "model.layers.31.self_attn.k_proj.weight", { 1024, 4096 }, 0 },
		{ "model.layers.0.self_attn.o_proj.weight", { 4096, 4096 }, 0 },
		{ "model.layers.0.mlp.gate_proj.weight", { 11008, 4096 }, 0 },
		{ "model.layers.0.mlp.down_proj.weight", { 4096, 11008 }, 0 },
		{ "language_model.model.layers.0.mlp.up_proj.weight", { 4304, 1152 }, DFS_F32 },
		/* Phi */
		{ "model.layers.0.self_attn.dense.weight", { 2560, 2560 }, DFS_F16 },
		{ "model.layers.0.mlp.fc1.weight", { 10240, 2560 }, DFS_F16 },
		{ "model.layers.0.self_attn.qkv_proj.weight", { 9216, 3072 }, 0 },
		{ "model.layers.0.mlp.gate_up_proj.weight", { 16384, 3072 }, 0 },
		/* GPT-2, GPT-J, GPT-NeoX, Falcon, MPT, OLMo, InternLM2, ChatGLM */
		{ "transformer.h.0.attn.c_attn.weight", { 768, 2304 }, DFS_F32 },
		{ "h.0.mlp.c_fc.weight", { 768, 3072 }, DFS_F32 },
		{ "h.0.mlp.c_proj.weight", { 3072, 768 }, DFS_F32 },
		{ "transformer.h.0.mlp.fc_in.weight", { 16384, 4096 }, 0 },
		{ "gpt_neox.layers.0.attention.query_key_value.weight", { 3072, 1024 }, DFS_F16 },
		{ "gpt_neox.layers.0.mlp.dense_h_to_4h.weight", { 4096, 1024 }, DFS_F16 },
		{ "transformer.h.0.self_attention.dense.weight", { 4544, 4544 }, 0 },
		{ "transformer.blocks.0.attn.Wqkv.weight", { 12288, 4096 }, 0 },
		{ "model.transformer.blocks.0.ff_out.weight", { 4096, 11008 }, 0 },
		{ "model.layers.0.attention.wqkv.weight", { 6144, 4096 }, 0 },
		{ "transformer.encoder.layers.0.self_attention.query_key_value.weight", { 4608, 4096 }, 0 },
		/* DeepSeek */
		{ "model.layers.0.self_attn.q_a_proj.weight", { 1536, 7168 }, 0 },
		{ "model.layers.0.self_attn.kv_a_proj_with_mqa.weight", { 576, 7168 }, 0 },
		{ "model.layers.3.mlp.shared_experts.gate_proj.weight", { 2048, 7168 }, 0 },
		/* Mamba */
		{ "backbone.layers.0.mixer.in_proj.weight", { 3072, 768 }, DFS_F32 },
		{ "backbone.layers.0.mixer.x_proj.weight", { 80, 1536 }, DFS_F32 },
		{ "backbone.layers.0.mixer.out_proj.weight", { 768, 1536 }, DFS_F32 },
		/* peft, not merged */
		{ "base_model.model.model.layers.0.self_attn.q_proj.base_layer.weight", { 4096, 4096 }, 0 },
	};

	(void)state;
	CHECK_ROLES(linear, DFS_ROLE_LINEAR);
}

static void experts(void **state)
{
	static const struct named linear[] = {
		{ "model.layers.0.mlp.experts.59.gate_proj.weight", { 1408, 2048 }, 0 },	/* Qwen2-MoE */
		{ "model.layers.0.mlp.shared_expert.up_proj.weight", { 5632, 2048 }, 0 },
		{ "model.layers.0.block_sparse_moe.experts.7.w1.weight", { 14336, 4096 }, 0 },	/* Mixtral */
		{ "model.layers.0.mlp.experts.gate_up_proj", { 32, 2880, 5760 }, 0 },	/* gpt-oss */
		{ "model.layers.0.mlp.experts.down_proj", { 128, 2880, 2880 }, 0 },
		{ "language_model.model.layers.0.feed_forward.experts.gate_up_proj", { 16, 5120, 16384 }, 0 },	/* Llama 4 */
		{ "model.layers.0.block_sparse_moe.input_linear.weight", { 40, 1024, 1536 }, 0 },	/* Granite */
		{ "transformer.blocks.0.ffn.experts.mlp.w1", { 172032, 6144 }, 0 },	/* DBRX */
	};
	static const struct named other[] = {
		{ "model.layers.0.mlp.gate.weight", { 128, 2048 }, 0 },
		{ "model.layers.0.mlp.shared_expert_gate.weight", { 1, 2048 }, 0 },
		{ "model.layers.0.block_sparse_moe.gate.weight", { 64, 4096 }, 0 },
		{ "model.layers.0.mlp.router.weight", { 128, 2880 }, 0 },
		{ "transformer.blocks.0.ffn.router.layer.weight", { 64, 6144 }, 0 },
		{ "model.layers.0.mlp.experts.gate_up_proj_blocks", { 32, 5760, 90, 16 }, DFS_U8 },
		{ "model.layers.0.mlp.experts.gate_up_proj_scales", { 128, 5760, 90 }, DFS_U8 },
	};
	static const struct named norm[] = {
		{ "model.layers.0.mlp.experts.gate_up_proj_bias", { 128, 5760 }, 0 },
		{ "model.layers.0.mlp.experts.down_proj_bias", { 128, 2880 }, 0 },
		{ "model.layers.0.mlp.router.bias", { 128 }, 0 },
		{ "model.layers.0.self_attn.sinks", { 64 }, 0 },
		{ "model.layers.3.mlp.gate.e_score_correction_bias", { 256 }, DFS_F32 },
	};

	(void)state;
	CHECK_ROLES(linear, DFS_ROLE_LINEAR);
	CHECK_ROLES(other, DFS_ROLE_OTHER);
	CHECK_ROLES(norm, DFS_ROLE_NORM);
}

static void encoders_and_pictures(void **state)
{
	static const struct named linear[] = {
		/* BERT, MiniLM, DistilBERT, DeBERTa */
		{ "bert.encoder.layer.0.attention.self.query.weight", { 768, 768 }, DFS_F32 },
		{ "bert.encoder.layer.0.attention.output.dense.weight", { 768, 768 }, DFS_F32 },
		{ "encoder.layer.5.intermediate.dense.weight", { 1536, 384 }, DFS_F32 },
		{ "encoder.layer.5.output.dense.weight", { 384, 1536 }, DFS_F32 },
		{ "distilbert.transformer.layer.0.ffn.lin1.weight", { 3072, 768 }, DFS_F32 },
		{ "deberta.encoder.layer.0.attention.self.query_proj.weight", { 768, 768 }, DFS_F32 },
		/* T5, BART, Whisper */
		{ "encoder.block.0.layer.0.SelfAttention.q.weight", { 768, 768 }, DFS_F32 },
		{ "decoder.block.0.layer.1.EncDecAttention.o.weight", { 768, 768 }, DFS_F32 },
		{ "encoder.block.0.layer.1.DenseReluDense.wi_0.weight", { 2048, 768 }, DFS_F32 },
		{ "model.encoder.layers.0.self_attn.out_proj.weight", { 1024, 1024 }, DFS_F32 },
		{ "model.decoder.layers.0.encoder_attn.k_proj.weight", { 384, 384 }, DFS_F32 },
		{ "model.decoder.layers.0.fc1.weight", { 1536, 384 }, DFS_F32 },
		/* CLIP of transformers and open_clip, ViT of transformers and timm */
		{ "text_model.encoder.layers.0.self_attn.k_proj.weight", { 512, 512 }, DFS_F32 },
		{ "vision_model.encoder.layers.0.mlp.fc2.weight", { 768, 3072 }, DFS_F32 },
		{ "visual.transformer.resblocks.0.attn.in_proj_weight", { 2304, 768 }, DFS_F32 },
		{ "visual.transformer.resblocks.0.attn.out_proj.weight", { 768, 768 }, DFS_F32 },
		{ "transformer.resblocks.0.mlp.c_fc.weight", { 2048, 512 }, DFS_F32 },
		{ "transformer.resblocks.0.mlp.c_proj.weight", { 512, 2048 }, DFS_F32 },
		{ "blocks.0.attn.qkv.weight", { 2304, 768 }, DFS_F32 },
		{ "blocks.0.attn.proj.weight", { 768, 768 }, DFS_F32 },
		{ "blocks.0.mlp.fc1.weight", { 3072, 768 }, DFS_F32 },
		{ "visual.trunk.blocks.0.attn.proj.weight", { 768, 768 }, DFS_F32 },
		{ "vit.encoder.layer.0.attention.attention.query.weight", { 768, 768 }, DFS_F32 },
		{ "multi_modal_projector.linear_1.weight", { 4096, 1024 }, 0 },
	};

	(void)state;
	CHECK_ROLES(linear, DFS_ROLE_LINEAR);
}

/* Names that have something of an embedding's, and are of layers. */
static void layers_with_such_words(void **state)
{
	static const struct named linear[] = {
		/* Stable Diffusion, of diffusers and as it was */
		{ "down_blocks.0.resnets.0.time_emb_proj.weight", { 320, 1280 }, DFS_F16 },
		{ "model.diffusion_model.input_blocks.1.0.emb_layers.1.weight", { 320, 1280 }, DFS_F16 },
		{ "down_blocks.1.attentions.0.transformer_blocks.0.attn2.to_k.weight", { 640, 768 }, DFS_F16 },
		{ "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_out.0.weight", { 640, 640 }, DFS_F16 },
		{ "mid_block.attentions.0.transformer_blocks.0.ff.net.0.proj.weight", { 10240, 1280 }, DFS_F16 },
		{ "model.diffusion_model.middle_block.1.transformer_blocks.0.ff.net.2.weight", { 1280, 5120 }, DFS_F16 },
		/* RWKV, Transformer-XL, XLM, OPT, Mixtral, MLP-Mixer */
		{ "blocks.0.att.key.weight", { 2048, 2048 }, 0 },
		{ "rwkv.blocks.0.feed_forward.receptance.weight", { 2048, 2048 }, 0 },
		{ "transformer.layers.0.dec_attn.qkv_net.weight", { 3072, 1024 }, DFS_F32 },
		{ "transformer.layers.0.pos_ff.CoreNet.0.weight", { 4096, 1024 }, DFS_F32 },
		{ "attentions.0.q_lin.weight", { 1024, 1024 }, DFS_F32 },
		{ "transformer.layer.0.ff.layer_1.weight", { 4096, 1024 }, DFS_F32 },
		{ "model.decoder.layers.0.fc2.weight", { 768, 3072 }, DFS_F16 },
		{ "model.decoder.project_in.weight", { 1024, 512 }, DFS_F16 },
		{ "model.layers.0.block_sparse_moe.experts.0.w2.weight", { 4096, 14336 }, 0 },
		{ "blocks.0.mlp_tokens.fc1.weight", { 384, 196 }, DFS_F32 },
		{ "blocks.0.mlp_channels.fc1.weight", { 3072, 768 }, DFS_F32 },
		{ "layers.0.memb.weight", { 512, 512 }, DFS_F32 },
		{ "layers.0.logitsnet.weight", { 512, 512 }, DFS_F32 },
	};

	(void)state;
	CHECK_ROLES(linear, DFS_ROLE_LINEAR);
}

static void embeddings_and_heads(void **state)
{
	static const struct named list[] = {
		{ "model.embed_tokens.weight", { 128256, 4096 }, 0 },
		{ "lm_head.weight", { 128256, 4096 }, 0 },
		{ "wte.weight", { 50257, 768 }, DFS_F32 },
		{ "transformer.wpe.weight", { 1024, 768 }, DFS_F32 },
		{ "gpt_neox.embed_out.weight", { 50304, 1024 }, DFS_F16 },
		{ "model.tok_embeddings.weight", { 92544, 4096 }, 0 },
		{ "output.weight", { 92544, 4096 }, 0 },
		{ "language_model.output.weight", { 92544, 4096 }, 0 },
		{ "transformer.output_layer.weight", { 65024, 4096 }, 0 },
		{ "model.transformer.ff_out.weight", { 50304, 4096 }, 0 },
		{ "model.layers.61.shared_head.head.weight", { 129280, 7168 }, 0 },
		{ "bert.embeddings.word_embeddings.weight", { 30522, 768 }, DFS_F32 },
		{ "embeddings.position_embeddings.weight", { 512, 384 }, DFS_F32 },
		{ "bert.pooler.dense.weight", { 768, 768 }, DFS_F32 },
		{ "pooler.dense.weight", { 384, 384 }, DFS_F32 },
		{ "cls.predictions.transform.dense.weight", { 768, 768 }, DFS_F32 },
		{ "predictions.decoder.weight", { 30000, 128 }, DFS_F32 },
		{ "discriminator_predictions.dense.weight", { 256, 256 }, DFS_F32 },
		{ "vocab_transform.weight", { 768, 768 }, DFS_F32 },
		{ "vocab_projector.weight", { 30522, 768 }, DFS_F32 },
		{ "pre_classifier.weight", { 768, 768 }, DFS_F32 },
		{ "classifier.out_proj.weight", { 77, 768 }, DFS_F32 },
		{ "classification_head.dense.weight", { 1024, 1024 }, DFS_F32 },
		{ "lm_head.dense.weight", { 768, 768 }, DFS_F32 },
		{ "decoder.output_projection.weight", { 50264, 1024 }, DFS_F16 },	/* fairseq */
		{ "LM_Head.weight", { 50264, 1024 }, 0 },
		{ "lm_loss.weight", { 32000, 768 }, DFS_F32 },
		{ "score.weight", { 100, 4096 }, 0 },
		{ "shared.weight", { 32128, 768 }, DFS_F32 },
		{ "encoder.block.0.layer.0.SelfAttention.relative_attention_bias.weight", { 64, 64 }, DFS_F32 },
		{ "proj_out.weight", { 51865, 384 }, DFS_F32 },
		{ "text_projection", { 512, 512 }, DFS_F32 },
		{ "text_projection.weight", { 512, 512 }, DFS_F32 },
		{ "visual_projection.weight", { 512, 768 }, DFS_F32 },
		{ "visual.proj", { 768, 512 }, DFS_F32 },
		{ "positional_embedding", { 77, 512 }, DFS_F32 },
		{ "visual.class_embedding", { 768 }, DFS_F32 },
		{ "pos_embed", { 1, 197, 768 }, DFS_F32 },
		{ "patch_embed.proj.weight", { 768, 3, 16, 16 }, DFS_F32 },
		{ "head.weight", { 1000, 768 }, DFS_F32 },
		{ "head_dist.weight", { 1000, 768 }, DFS_F32 },
		{ "fc.weight", { 1000, 2048 }, DFS_F32 },
		{ "vision_encoder.layers.7.attn.rel_pos_h", { 127, 80 }, DFS_F32 },
		{ "model.connector.perceiver_resampler.latents", { 64, 4096 }, 0 },
		{ "transformer.visual.attn_pool.query", { 256, 4096 }, 0 },
		{ "backbone.embeddings.weight", { 50280, 768 }, DFS_F32 },
	};

	(void)state;
	CHECK_ROLES(list, DFS_ROLE_EMBEDDING);
}

static void embeddings_of_short_words(void **state)
{
	static const struct named list[] = {
		/* RWKV, Transformer-XL, XLM, XLNet, OPT, Whisper, minGPT */
		{ "emb.weight", { 65536, 2048 }, 0 },
		{ "rwkv.emb.weight", { 65536, 2048 }, 0 },
		{ "transformer.word_emb.emb_layers.0.weight", { 20000, 1024 }, DFS_F32 },
		{ "crit.out_layers.0.weight", { 20000, 1024 }, DFS_F32 },
		{ "pred_layer.proj.weight", { 30145, 1024 }, DFS_F32 },
		{ "transformer.word_embedding.weight", { 32000, 768 }, DFS_F32 },
		{ "model.decoder.embed_positions.weight", { 2050, 768 }, DFS_F16 },
		{ "model.decoder.embed_tokens.weight", { 51865, 384 }, DFS_F32 },
		{ "decoder.token_embedding.weight", { 51865, 384 }, DFS_F32 },
		{ "tok_emb.weight", { 50257, 768 }, 0 },
		{ "pos_emb", { 1, 1024, 768 }, 0 },
		{ "pos_emb.weight", { 1024, 768 }, 0 },
		{ "Word_Emb.weight", { 32000, 768 }, 0 },
		/* x-transformers, DALL-E, vector quantisers, prompts and other learned inputs */
		{ "to_logits.weight", { 20000, 512 }, DFS_F32 },
		{ "to_logits.1.weight", { 18720, 512 }, DFS_F32 },
		{ "logits.weight", { 10000, 512 }, DFS_F32 },
		{ "quantizer.codebook.weight", { 8192, 256 }, DFS_F32 },
		{ "codebook.weight", { 8192, 256 }, DFS_F32 },
		{ "query_tokens", { 64, 768 }, DFS_F32 },
		{ "vision.query_tokens", { 1, 64, 768 }, DFS_F32 },
		{ "cls_token", { 64, 768 }, DFS_F32 },
		{ "register_tokens", { 1, 4, 768 }, DFS_F32 },
		{ "mask_decoder.mask_tokens.weight", { 64, 256 }, DFS_F32 },
		{ "soft_prompt", { 100, 4096 }, DFS_F32 },
		{ "soft_prompt.weight", { 100, 4096 }, DFS_F32 },
		/* pictures from noise: of times and labels */
		{ "time_embedding.linear_1.weight", { 1280, 320 }, DFS_F16 },
		{ "model.diffusion_model.label_emb.0.0.weight", { 1280, 2816 }, DFS_F16 },
	};

	(void)state;
	CHECK_ROLES(list, DFS_ROLE_EMBEDDING);
}

static void norms_and_what_has_one_dimension(void **state)
{
	static const struct named list[] = {
		{ "model.layers.0.input_layernorm.weight", { 4096 }, 0 },
		{ "model.norm.weight", { 4096 }, 0 },
		{ "model.layers.0.self_attn.q_norm.weight", { 96, 128 }, 0 },	/* Command R+: a row a head */
		{ "model.layers.0.self_attn.q_proj.bias", { 4096 }, 0 },
		{ "h.0.attn.bias", { 1, 1, 1024, 1024 }, DFS_F32 },	/* the mask */
		{ "ln_f.weight", { 768 }, DFS_F32 },
		{ "h.0.ln_1.weight", { 768 }, DFS_F32 },
		{ "encoder.layer.0.attention.output.LayerNorm.gamma", { 768 }, DFS_F32 },
		{ "encoder.block.0.layer.0.layer_norm.weight", { 768 }, DFS_F32 },
		{ "vision_model.pre_layrnorm.weight", { 768 }, DFS_F32 },
		{ "visual.transformer.resblocks.0.attn.in_proj_bias", { 2304 }, DFS_F32 },
		{ "visual.ln_post.weight", { 768 }, DFS_F32 },
		{ "blocks.0.ls1.gamma", { 768 }, DFS_F32 },
		{ "backbone.norm_f.weight", { 768 }, DFS_F32 },
		{ "backbone.layers.0.mixer.D", { 1536 }, DFS_F32 },
		{ "backbone.layers.0.mixer.dt_proj.bias", { 1536 }, DFS_F32 },
		{ "model.layers.0.self_attn.q_proj.weight", { 4096 }, 0 },	/* a slice that somebody flattened */
	};

	(void)state;
	CHECK_ROLES(list, DFS_ROLE_NORM);
}

static void everything_else(void **state)
{
	static const struct named list[] = {
		{ "backbone.layers.0.mixer.A_log", { 8192, 128 }, DFS_F32 },
		{ "backbone.layers.0.mixer.conv1d.weight", { 1536, 1, 4 }, DFS_F32 },
		{ "backbone.layers.0.mixer.dt_proj.weight", { 1536, 48 }, DFS_F32 },	/* too narrow */
		{ "rwkv.blocks.0.attention.time_decay", { 64, 64 }, DFS_F32 },
		{ "model.encoder.conv1.weight", { 384, 80, 3 }, DFS_F32 },
		{ "visual.conv1.weight", { 768, 3, 32, 32 }, DFS_F32 },
		{ "base_model.model.model.layers.0.self_attn.q_proj.lora_A.weight", { 64, 4096 }, 0 },
		{ "model.layers.0.self_attn.rotary_emb.inv_freq", { 64 }, DFS_F32 },
		/* quantised: weights are integers, their scales are no weights */
		{ "model.layers.0.self_attn.q_proj.qweight", { 512, 4096 }, DFS_I32 },
		{ "model.layers.0.mlp.down_proj.scales", { 86, 4096 }, DFS_F16 },
		{ "model.layers.0.mlp.down_proj.weight", { 4096, 11008 }, DFS_F8_E4M3 },
		{ "model.layers.0.mlp.down_proj.weight_scale_inv", { 128, 416 }, DFS_F32 },
		{ "model.layers.0.mlp.down_proj.weight_scale", { 4096, 64 }, DFS_F32 },
		{ "model.layers.0.mlp.down_proj.weight", { 4096, 63 }, 0 },
		{ "model.layers.0.mlp.down_proj.weight", { 63, 4096 }, 0 },
		{ "model.layers.0.mlp.down_proj.weight", { 4, 64, 64, 64 }, 0 },
		{ "logit_scale", { 0 }, DFS_F32 },
		{ "visual.trunk.layers.0.blocks.0.attn.position_index", { 64, 64 }, DFS_I64 },
	};

	(void)state;
	CHECK_ROLES(list, DFS_ROLE_OTHER);
}

static void odd_names_and_shapes(void **state)
{
	static const struct named linear[] = {
		{ "", { 64, 64 }, 0 },
		{ ".", { 64, 64 }, 0 },
		{ "...weight...", { 64, 64 }, 0 },
		{ "head", { 64, 63 }, DFS_F32 },
	};
	struct dfs_tensor tensor = { .name = "w", .dtype = DFS_F32, .rank = 2, .shape = { 64, 64 } };

	(void)state;
	CHECK_ROLES(linear, i_ < 3 ? DFS_ROLE_LINEAR : DFS_ROLE_EMBEDDING);
	CHECK(dfs_tensor_is_matrix(&tensor));
	tensor.shape[0] = 0;
	CHECK(!dfs_tensor_is_matrix(&tensor) && dfs_tensor_role(&tensor) == DFS_ROLE_OTHER);
	tensor.rank = 0;
	CHECK(!dfs_tensor_is_matrix(&tensor) && dfs_tensor_role(&tensor) == DFS_ROLE_NORM);
	tensor = (struct dfs_tensor){ .name = "w", .dtype = DFS_F32, .rank = 3, .shape = { 1, 64, 64 } };
	CHECK(dfs_tensor_role(&tensor) == DFS_ROLE_LINEAR);
	for (unsigned role = 0; role < DFS_ROLES; role++)
		CHECK(strcmp(dfs_role_name(role), "?"));
	CHECK(!strcmp(dfs_role_name(DFS_ROLES), "?"));
}

static const struct CMUnitTest cases[] = {
	cmocka_unit_test(layers_of_decoders),
	cmocka_unit_test(experts),
	cmocka_unit_test(encoders_and_pictures),
	cmocka_unit_test(embeddings_and_heads),
	cmocka_unit_test(embeddings_of_short_words),
	cmocka_unit_test(layers_with_such_words),
	cmocka_unit_test(norms_and_what_has_one_dimension),
	cmocka_unit_test(everything_else),
	cmocka_unit_test(odd_names_and_shapes),
};

CHECK_MAIN(cases)
