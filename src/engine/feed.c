/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/feed.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#define ENOUGH (FEED_BATCHES / 2) /* batches that are free again when the filler goes on */

struct batch {
	uint32_t count;
	struct packet packets[FEED_BATCH];
};

/*
 * A ring: batches [taken, filled) are the engine's, the others the filler's. Both numbers only grow and each is written
 * by one side, under the lock; what a side owns it touches without.
 *
 * Whoever waits sleeps until there is work for a while: the engine takes longer, and to be woken for each batch that it
 * has done would cost the filler as much as to fill it.
 */
struct feed {
	struct engine *engine;
	struct batch *open; /* being filled */
	bool locked;        /* lock and changed are there */
	bool threaded;      /* the engine has a thread */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	uint64_t filled, taken;
	bool ended;
	struct batch batches[FEED_BATCHES];
};

static void *run(void *argument)
{
	struct feed *feed = argument;

	for (;;) {
		struct batch *batch;

		(void)pthread_mutex_lock(&feed->lock);
		while (feed->taken == feed->filled && !feed->ended)
			(void)pthread_cond_wait(&feed->changed, &feed->lock);
		if (feed->taken == feed->filled) {
			(void)pthread_mutex_unlock(&feed->lock);
			return NULL;
		}
		batch = &feed->batches[feed->taken % FEED_BATCHES];
		(void)pthread_mutex_unlock(&feed->lock);
		engine_observe(feed->engine, batch->packets, batch->count);
		(void)pthread_mutex_lock(&feed->lock);
		feed->taken++;
		if (feed->filled - feed->taken <= ENOUGH)
			(void)pthread_cond_signal(&feed->changed);
		(void)pthread_mutex_unlock(&feed->lock);
	}
}

unsigned feed_threads(void)
{
	cpu_set_t cores;

	return sched_getaffinity(0, sizeof(cores), &cores) == 0 ? (unsigned)CPU_COUNT(&cores) : 1;
}

struct feed *feed_new(struct engine *engine, unsigned threads)
{
	struct feed *feed = calloc(1, sizeof(*feed));

	if (!feed)
		return NULL;
	feed->engine = engine;
	feed->open = &feed->batches[0];
	if (threads < 2)
		return feed;
	feed->locked = true;
	(void)pthread_mutex_init(&feed->lock, NULL);
	(void)pthread_cond_init(&feed->changed, NULL);
	feed->threaded = pthread_create(&feed->thread, NULL, run, feed) == 0;
	return feed;
}

struct observation *feed_next(struct feed *feed)
{
	return &feed->open->packets[feed->open->count].observation;
}

static void hand_over(struct feed *feed)
{
	if (!feed->threaded) {
		engine_observe(feed->engine, feed->open->packets, feed->open->count);
		feed->open->count = 0;
		return;
	}
	(void)pthread_mutex_lock(&feed->lock);
	feed->filled++;
	(void)pthread_cond_signal(&feed->changed);
	if (feed->filled - feed->taken == FEED_BATCHES)
		while (feed->filled - feed->taken > ENOUGH)
			(void)pthread_cond_wait(&feed->changed, &feed->lock);
	(void)pthread_mutex_unlock(&feed->lock);
	feed->open = &feed->batches[feed->filled % FEED_BATCHES];
	feed->open->count = 0;
}

void feed_commit(struct feed *feed)
{
	struct packet *packet = &feed->open->packets[feed->open->count];

	if (feed->open->count > 0)
		engine_prepare_after(feed->engine, packet, packet - 1);
	else
		engine_prepare(feed->engine, packet);
	if (++feed->open->count == FEED_BATCH)
		hand_over(feed);
}

void feed_finish(struct feed *feed)
{
	if (feed->open->count > 0)
		hand_over(feed);
	if (feed->threaded) {
		(void)pthread_mutex_lock(&feed->lock);
		feed->ended = true;
		(void)pthread_cond_signal(&feed->changed);
		(void)pthread_mutex_unlock(&feed->lock);
		(void)pthread_join(feed->thread, NULL);
	}
	if (feed->locked) {
		(void)pthread_cond_destroy(&feed->changed);
		(void)pthread_mutex_destroy(&feed->lock);
	}
	free(feed);
}
