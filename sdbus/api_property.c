/* SPDX-License-Identifier: MIT */

#include "sdbus/api_private.h"

/* FNV-1a, 64 bit: its offset basis and prime. */
#define HASH_BASIS UINT64_C(0xcbf29ce484222325)
#define HASH_PRIME UINT64_C(0x100000001b3)

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ ((const uint8_t *)bytes)[i]) * HASH_PRIME;
	return hash;
}

/* With the closing NUL, so that "ab", "c" differs from "a", "bc". */
static uint64_t hash_string(uint64_t hash, const char *s)
{
	return hash_bytes(hash, s ?: "", s ? strlen(s) + 1 : 1);
}

static uint64_t hash_strings(uint64_t hash, char *const *strings)
{
	for (; strings && *strings; strings++)
		hash = hash_string(hash, *strings);
	return hash;
}

static uint64_t hash_nodes(const struct api_nodes *nodes)
{
	uint64_t hash = HASH_BASIS;

	for (size_t i = 0; i < nodes->n; i++) {
		hash = hash_string(hash, nodes->v[i].name);
		hash = hash_string(hash, nodes->v[i].state);
		hash = hash_strings(hash, nodes->v[i].unfit);
	}
	return hash;
}

static uint64_t hash_inhibitors(const struct api_inhibitors *inhibitors)
{
	uint64_t hash = HASH_BASIS;

	for (size_t i = 0; i < inhibitors->n; i++) {
		hash = hash_string(hash, inhibitors->v[i].who);
		hash = hash_string(hash, inhibitors->v[i].why);
		hash = hash_bytes(hash, &inhibitors->v[i].uid, sizeof(inhibitors->v[i].uid));
	}
	return hash;
}

static uint64_t hash_array(const char *signature, const void *at)
{
	if (strcmp(signature, API_NODES) == 0)
		return hash_nodes(at);
	if (strcmp(signature, API_INHIBITORS) == 0)
		return hash_inhibitors(at);
	return hash_strings(HASH_BASIS, *(char *const *const *)at);
}

/* @at: where the property lies in its object */
static uint64_t hash_property(const char *signature, const void *at)
{
	switch (signature[0]) {
	case SD_BUS_TYPE_STRING:
		return hash_string(HASH_BASIS, *(const char *const *)at);
	case SD_BUS_TYPE_BOOLEAN:
		return hash_bytes(HASH_BASIS, at, sizeof(bool));
	case SD_BUS_TYPE_UINT64:
		return hash_bytes(HASH_BASIS, at, sizeof(uint64_t));
	case SD_BUS_TYPE_ARRAY:
		return hash_array(signature, at);
	default:
		assert(false); /* a type that our vtables do not have */
		return 0;
	}
}

/**
 * api_property_bool() - getter of a bool, which sd-bus would read as an int
 * @userdata: the bool
 *
 * The other parameters are those of sd_bus_property_get_t.
 *
 * Return: 0, or negative errno of appending to @reply.
 */
int api_property_bool(sd_bus *bus, const char *path, const char *interface, const char *property,
		      sd_bus_message *reply, void *userdata, sd_bus_error *error)
{
	(void)bus, (void)path, (void)interface, (void)property, (void)error;
	return sd_bus_message_append(reply, "b", *(const bool *)userdata);
}

/**
 * api_property_changes() - compare an object with what was last sent of it
 * @vtable: its properties; those that announce their changes are compared
 * @object: its values as they are now, at the offsets of the vtable
 * @sent: what was last sent; becomes what @object is now
 * @ret_names: the properties that differ, and NULL; borrowed from @vtable
 *
 * Return: the number of names.
 */
size_t api_property_changes(const sd_bus_vtable *vtable, const void *object, struct api_sent *sent,
			    char *ret_names[static API_PROPERTIES_MAX + 1])
{
	size_t n = 0, property = 0;

	for (const sd_bus_vtable *v = vtable; v->type != _SD_BUS_VTABLE_END; v++) {
		const uint8_t *at = (const uint8_t *)object + v->x.property.offset;
		uint64_t hash;

		if (v->type != _SD_BUS_VTABLE_PROPERTY ||
		    !(v->flags & SD_BUS_VTABLE_PROPERTY_EMITS_CHANGE))
			continue;
		assert(property < API_PROPERTIES_MAX);
		hash = hash_property(v->x.property.signature, at);
		if (hash != sent->value[property])
			ret_names[n++] = (char *)v->x.property.member;
		sent->value[property++] = hash;
	}
	ret_names[n] = NULL;
	return n;
}
