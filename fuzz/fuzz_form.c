/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The input is a form as a browser sends it. What is taken is UTF-8 in full, and every field stands in the form's own
 * text.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "harness.h"
#include "tell/form.h"
#include "tell/words.h"

static void check(const struct form *form, const char *text, size_t size)
{
	REQUIRE(text >= form->text && text + strlen(text) <= form->text + size);
	while (*text) {
		uint32_t code;
		size_t octets = words_utf8(text, &code);

		REQUIRE(octets > 0);
		text += octets;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct form *form = NULL;

	if (form_read((const char *)data, size, &form) != 0)
		return 0;
	REQUIRE(form->count <= FORM_FIELDS_MAX);
	for (unsigned i = 0; i < form->count; i++) {
		check(form, form->fields[i].name, size);
		check(form, form->fields[i].value, size);
		REQUIRE(form_get(form, form->fields[i].name));
	}
	free(form);
	return 0;
}
