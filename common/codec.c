/*
 * codec.c - the two walks over a table.
 *
 * The rule: a number on the way is seven bits a byte, lowest first, the top
 * bit saying that more follow; in memory it is little-endian like everything
 * Sallyport runs on.
 */
#include <endian.h>
#include <string.h>

#include "common/codec.h"
#include "common/text.h"

#if __BYTE_ORDER != __LITTLE_ENDIAN
#error "codec.c copies the low bytes of numbers first"
#endif

const struct shape codec_text_shape = {
    .size = sizeof(struct text),
    .parts = (const struct part[]){
	{.type = PART_TEXT},
	CODEC_END,
    },
};

/* --- writing ------------------------------------------------------------- */

static void
write_number(struct buffer *b, uint64_t value)
{
	for (; value >= 0x80; value >>= 7)
		buffer_put_u8(b, (uint8_t)(value | 0x80));
	buffer_put_u8(b, (uint8_t)value);
}

static uint64_t
load_number(const void *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, at, size);
	return value;
}

static void
write_list(struct buffer *b, const struct part *p, const char *array,
    size_t count)
{
	size_t i;

	write_number(b, count);
	for (i = 0; i < count; i++)
		codec_write(b, p->shape, array + i * p->shape->size);
}

static const void *
load_pointer(const void *at)
{
	const void *pointer;

	memcpy(&pointer, at, sizeof(pointer));
	return pointer;
}

static void
write_part(struct buffer *b, const struct part *p, const char *in)
{
	const char *field = in + p->offset;
	const struct text *text = (const struct text *)(const void *)field;

	switch (p->type) {
	case PART_NUMBER:
		write_number(b, load_number(field, p->size));
		break;
	case PART_TEXT:
		write_number(b, text->len);
		buffer_put_text(b, *text);
		break;
	case PART_STRUCT:
		codec_write(b, p->shape, field);
		break;
	case PART_LIST:
		write_list(b, p, load_pointer(field),
		    load_number(in + p->count_offset, sizeof(size_t)));
		break;
	case PART_OPTION:
		write_list(b, p, load_pointer(field),
		    load_pointer(field) != NULL);
		break;
	case PART_END:
		break;
	}
}

void
codec_write(struct buffer *b, const struct shape *shape, const void *in)
{
	const struct part *p;

	for (p = shape->parts; p->type != PART_END; p++)
		write_part(b, p, in);
}

/* --- reading ------------------------------------------------------------- */

struct decoder {
	struct wire *wire;
	struct arena *arena;
	size_t depth;
	enum err err; /* sticky */
};

static void read_shape(
    struct decoder *d, const struct shape *shape, char *out);

static void
damage(struct decoder *d)
{
	if (d->err == ERR_NONE)
		d->err = ERR_MALFORMED;
}

static uint64_t
read_number(struct decoder *d, uint64_t max)
{
	uint64_t value = 0;
	unsigned shift;
	uint8_t byte = 0x80;

	for (shift = 0; shift < 64 && (byte & 0x80) != 0; shift += 7) {
		byte = wire_u8(d->wire);
		/* The tenth byte has one bit to give. */
		if (shift == 63 && byte > 1)
			damage(d);
		value |= (uint64_t)(byte & 0x7f) << shift;
	}
	if (d->wire->bad || value > max)
		damage(d);
	return d->err == ERR_NONE ? value : 0;
}

/* The fewest bytes a struct of that shape takes: one a part. */
static size_t
shape_least(const struct shape *shape)
{
	size_t least = 0;

	while (shape->parts[least].type != PART_END)
		least++;
	return least;
}

static char *
read_elements(struct decoder *d, const struct shape *shape, size_t count)
{
	char *array;
	size_t i;

	if (count > d->wire->left / shape_least(shape)) {
		damage(d);
		return NULL;
	}
	array = arena_array(d->arena, count, shape->size);
	if (array == NULL && d->err == ERR_NONE)
		d->err = ERR_MEMORY;
	for (i = 0; i < count && d->err == ERR_NONE; i++)
		read_shape(d, shape, array + i * shape->size);
	return array;
}

static void
read_list(struct decoder *d, const struct part *p, char *out)
{
	size_t count = (size_t)read_number(d, CODEC_LIST_MAX);
	char *array;

	if (d->err != ERR_NONE || count == 0)
		return;
	array = read_elements(d, p->shape, count);
	if (d->err != ERR_NONE)
		return;
	memcpy(out + p->offset, &array, sizeof(array));
	memcpy(out + p->count_offset, &count, sizeof(count));
}

static void
read_option(struct decoder *d, const struct part *p, char *field)
{
	char *one;

	if (read_number(d, 1) == 0 || d->err != ERR_NONE)
		return;
	one = read_elements(d, p->shape, 1);
	if (d->err == ERR_NONE)
		memcpy(field, &one, sizeof(one));
}

static void
read_text(struct decoder *d, char *field)
{
	size_t len = (size_t)read_number(d, SIZE_MAX);
	struct text text = wire_bytes(d->wire, len);

	if (d->wire->bad)
		damage(d);
	else if (d->err == ERR_NONE && len > 0)
		memcpy(field, &text, sizeof(text));
}

static void
read_part(struct decoder *d, const struct part *p, char *out)
{
	char *field = out + p->offset;
	uint64_t number;

	switch (p->type) {
	case PART_NUMBER:
		number = read_number(d, p->max);
		memcpy(field, &number, p->size);
		break;
	case PART_TEXT:
		read_text(d, field);
		break;
	case PART_STRUCT:
		read_shape(d, p->shape, field);
		break;
	case PART_LIST:
		read_list(d, p, out);
		break;
	case PART_OPTION:
		read_option(d, p, field);
		break;
	case PART_END:
		break;
	}
}

static void
read_shape(struct decoder *d, const struct shape *shape, char *out)
{
	const struct part *p;

	if (++d->depth > CODEC_DEPTH_MAX)
		damage(d);
	for (p = shape->parts; p->type != PART_END && d->err == ERR_NONE; p++)
		read_part(d, p, out);
	d->depth--;
}

enum err
codec_read(
    struct wire *w, const struct shape *shape, struct arena *a, void *out)
{
	struct decoder d = {.wire = w, .arena = a};

	read_shape(&d, shape, out);
	return d.err;
}
