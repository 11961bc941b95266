/* SPDX-License-Identifier: Apache-2.0 */
/* What stands in a document at the path of a link, or what is counted of all that stands there. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tell/build.h"
#include "tell/statement_inside.h"

const char *const statement_document_names[STATEMENT_DOCUMENTS] = { "analysis.json", "record.json" };
const char *const statement_is_names[STATEMENT_ISES] = { "value", "count", "sum", "min", "max" };

struct gathering {
	enum statement_is is;
	uint64_t count, sum;
	bool bad;
	json_t *best; /* borrowed */
};

static bool earlier(const json_t *a, const json_t *b, bool *less)
{
	struct capture_time ta, tb;

	if (json_is_number(a) && json_is_number(b)) {
		*less = json_number_value(a) < json_number_value(b);
		return true;
	}
	if (!json_is_string(a) || !json_is_string(b) || time_parse(json_string_value(a), &ta) != 0 ||
	    time_parse(json_string_value(b), &tb) != 0)
		return false;
	*less = ta.ns < tb.ns;
	return true;
}

static void gather(struct gathering *g, json_t *value)
{
	bool less = false;
	uint64_t whole;

	if (g->is != STATEMENT_VALUE && json_is_null(value)) /* not measured */
		return;
	g->count++;
	switch (g->is) {
	case STATEMENT_VALUE:
		g->bad = g->bad || g->best;
		g->best = value;
		break;
	case STATEMENT_COUNT:
		break;
	case STATEMENT_SUM:
		if (!statement_whole(value, &whole))
			g->bad = true;
		else
			g->sum = g->sum > INT64_MAX - whole ? INT64_MAX : g->sum + whole;
		break;
	case STATEMENT_MIN:
	case STATEMENT_MAX:
		if (g->best && !earlier(value, g->best, &less))
			g->bad = true;
		else if (!g->best || (less == (g->is == STATEMENT_MIN) && !json_equal(value, g->best)))
			g->best = value;
		break;
	case STATEMENT_ISES:
		break;
	}
}

/* The member that the segment names, or NULL. */
static json_t *member(const json_t *value, const char *segment)
{
	char *end;
	unsigned long at;

	if (json_is_object(value))
		return json_object_get(value, segment);
	if (segment[0] < '0' || segment[0] > '9' || (segment[0] == '0' && segment[1]))
		return NULL;
	errno = 0;
	at = strtoul(segment, &end, 10);
	return errno || *end ? NULL : json_array_get(value, at);
}

/* NOLINTBEGIN(misc-no-recursion): as deep as a path of STATEMENT_PATH_MAX octets has segments */
static void walk(struct gathering *g, const json_t *in, const char *at);

static void step(struct gathering *g, json_t *value, const char *rest)
{
	if (value && *rest)
		walk(g, value, rest);
	else if (value)
		gather(g, value);
}

/* `at` has a segment at least. */
static void walk(struct gathering *g, const json_t *in, const char *at)
{
	char segment[STATEMENT_PATH_MAX];
	size_t length = *at == '/' ? strcspn(at + 1, "/") : 0, i;
	json_t *one;

	if (*at != '/' || length >= sizeof(segment) || memchr(at, '~', length + 1)) {
		g->bad = true;
		return;
	}
	memcpy(segment, at + 1, length);
	segment[length] = '\0';
	if (strcmp(segment, "*") == 0) {
		json_array_foreach(in, i, one)
		{
			step(g, one, at + 1 + length);
		}
	} else {
		step(g, member(in, segment), at + 1 + length);
	}
}
/* NOLINTEND(misc-no-recursion) */

json_t *statement_resolve(const json_t *document, const char *at, enum statement_is is)
{
	/* The path of a count that has no "*" is that of the list itself. */
	bool list = is == STATEMENT_COUNT && !strchr(at, '*');
	struct gathering g = { .is = list ? STATEMENT_VALUE : is };

	if (strlen(at) > STATEMENT_PATH_MAX)
		return NULL;
	walk(&g, document, at);
	if (g.bad || (list && !json_is_array(g.best)))
		return NULL;
	if (list)
		return json_integer((json_int_t)json_array_size(g.best));
	if (is == STATEMENT_COUNT)
		return json_integer((json_int_t)g.count);
	if (g.count == 0)
		return NULL;
	/* A copy: what a link says stays, whatever becomes of the document. */
	return is == STATEMENT_SUM ? build_integer(g.sum) : json_deep_copy(g.best);
}

bool statement_whole(const json_t *value, uint64_t *whole)
{
	double real;

	if (json_is_integer(value) && json_integer_value(value) >= 0) {
		*whole = (uint64_t)json_integer_value(value);
		return true;
	}
	real = json_is_real(value) ? json_real_value(value) : -1;
	if (!(real >= 0 && real < (double)(1ULL << 53)))
		return false;
	*whole = (uint64_t)real;
	return true;
}
