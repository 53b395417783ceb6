// SPDX-License-Identifier: GPL-2.0-only
/* How kernels pack an object's place into a word, and what follows from it. */
#include "replay/engine/internal.h"

#define CLASS_BITS 9

static unsigned ceil_log2(unsigned n)
{
	return n > 1 ? 32 - (unsigned)__builtin_clz(n - 1) : 0;
}

/* 5.10 locks a handle by its low bit, 6.1 still shifts it in, 6.2 to 6.4 have
 * a second one for deferred handles, later ones keep tags out of the value. */
static unsigned tag_bits(unsigned release)
{
	if (release >= ZSR_RELEASE(6, 5))
		return 0;
	return release >= ZSR_RELEASE(6, 2) ? 2 : 1;
}

int zsr_sizes_check(unsigned page_size, unsigned chain_size, struct zsr_err *err)
{
	if (page_size != 4096 && page_size != 16384 && page_size != 65536)
		return zsr_err_usage(err,
				     "page size %u is none of 4096, 16384, "
				     "65536",
				     page_size);
	if (chain_size < 4 || chain_size > 16)
		return zsr_err_usage(err, "chain size %u is not within 4 to 16",
				     chain_size);
	return 0;
}

int zsr_obj_layout(struct zsr_obj_layout *l, const char *release,
		   unsigned word_bits, unsigned physmem_bits,
		   unsigned page_size, unsigned chain_size, struct zsr_err *err)
{
	unsigned r = zsr_release_parse(release), below, page_shift, needed;
	int ret = zsr_sizes_check(page_size, chain_size, err);

	if (ret)
		return ret;
	if (!zsr_model_find(release))
		return zsr_err_usage(err, "'%s' is no known kernel", release);
	if (!word_bits)
		word_bits = 64;
	if (!physmem_bits)
		physmem_bits = word_bits == 64 ? 52 : 32;
	if (word_bits != 32 && word_bits != 64)
		return zsr_err_usage(err, "word size %u is neither 32 nor 64",
				     word_bits);
	page_shift = (unsigned)__builtin_ctz(page_size);
	if (physmem_bits <= page_shift || physmem_bits > 64 ||
	    physmem_bits - page_shift + tag_bits(r) >= word_bits)
		return zsr_err_usage(err,
				     "%u bits of physical address leave no "
				     "object index in %u",
				     physmem_bits, word_bits);
	*l = (struct zsr_obj_layout){
		.word_bits = word_bits,
		.physmem_bits = physmem_bits,
		.pfn_bits = physmem_bits - page_shift,
		.tag_bits = tag_bits(r),
		.handle_size = word_bits / 8,
	};
	below = word_bits - l->pfn_bits - l->tag_bits;
	needed = CLASS_BITS + ceil_log2(chain_size) + page_shift - 5;
	if (r >= ZSR_RELEASE(7, 3) && word_bits == 64 && below >= needed)
		l->class_bits = CLASS_BITS;
	l->idx_bits = below - l->class_bits;
	l->min_size = (unsigned)(((uint64_t)chain_size * page_size) >>
				 l->idx_bits);
	l->min_size = zsr_max(l->min_size, 32u);
	if (l->min_size > page_size)
		return zsr_err_usage(err,
				     "%u bits of physical address leave too "
				     "few object indices for %u pages of %u",
				     physmem_bits, chain_size, page_size);
	return 0;
}
