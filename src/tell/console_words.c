/* SPDX-License-Identifier: Apache-2.0 */
#include "tell/console_inside.h"

static const char *const words[CONSOLE_WORDS_COUNT][LANGUAGES] = {
#define X(name, en, fr) [CONSOLE_WORD_##name] = { [LANGUAGE_EN] = (en), [LANGUAGE_FR] = (fr) },
	CONSOLE_WORDS(X)
#undef X
};

const char *console_word(enum language language, enum console_word word)
{
	return words[word][language];
}
