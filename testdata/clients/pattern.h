/*
 * Bytes that can be recognised: each depends on its place and on a seed, so
 * that a page that was lost, doubled or swapped is seen.
 */
#ifndef PATTERN_H
#define PATTERN_H

#include <libmach/libmach.h>

static inline unsigned char pattern_byte(size_t at, unsigned int seed)
{
	return (unsigned char)(at * 7 + at / vm_page_size * 13 + seed);
}

static inline void pattern_fill(vm_offset_t memory, size_t size, unsigned int seed)
{
	volatile unsigned char *bytes = (volatile unsigned char *)memory;
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = pattern_byte(i, seed);
}

/* How many bytes are not what pattern_fill() would have put there. */
static inline size_t pattern_wrong(vm_offset_t memory, size_t size, unsigned int seed)
{
	const volatile unsigned char *bytes = (const volatile unsigned char *)memory;
	size_t i, wrong = 0;

	for (i = 0; i < size; i++)
		wrong += bytes[i] != pattern_byte(i, seed);
	return wrong;
}

/* How many bytes of two regions differ. */
static inline size_t bytes_differing(vm_offset_t a, vm_offset_t b, size_t size)
{
	const volatile unsigned char *x = (const volatile unsigned char *)a;
	const volatile unsigned char *y = (const volatile unsigned char *)b;
	size_t i, differing = 0;

	for (i = 0; i < size; i++)
		differing += x[i] != y[i];
	return differing;
}

/* How many bytes of a region are not zero. */
static inline size_t bytes_set(vm_offset_t memory, size_t size)
{
	const volatile unsigned char *bytes = (const volatile unsigned char *)memory;
	size_t i, set = 0;

	for (i = 0; i < size; i++)
		set += bytes[i] != 0;
	return set;
}

#endif
