/*
 * hello: the first things a kernel must do for a program. It prints, touches
 * memory that was never touched, and runs two more threads that take turns.
 */
#include <libmach/libmach.h>

enum { PAGES = 4, TURNS = 3 };

static void fresh_memory(void)
{
	vm_offset_t memory = 0;
	unsigned char *bytes;
	size_t i, nonzero = 0, wrong = 0;
	kern_return_t kr;

	kr = vm_allocate(mach_task_self(), &memory, PAGES * vm_page_size, TRUE);
	mach_printf("vm_allocate of %d pages: %s\n", PAGES, mach_error_string(kr));
	if (kr != KERN_SUCCESS)
		return;

	bytes = (unsigned char *)memory;
	for (i = 0; i < PAGES * vm_page_size; i++)
		nonzero += bytes[i] != 0;
	mach_printf("fresh memory: %zu of %zu bytes are not zero\n", nonzero,
		    PAGES * vm_page_size);

	for (i = 0; i < PAGES; i++)
		bytes[i * vm_page_size + i] = (unsigned char)(i + 1);
	for (i = 0; i < PAGES; i++)
		wrong += bytes[i * vm_page_size + i] != i + 1;
	mach_printf("written memory: %zu of %d pages read back wrong\n", wrong, PAGES);

	kr = vm_deallocate(mach_task_self(), memory, PAGES * vm_page_size);
	mach_printf("vm_deallocate: %s\n", mach_error_string(kr));
}

/* A thread prints when its turn has come and then gives the turn away. */
struct player {
	const char *name;
	mach_event_t turn;
	mach_event_t next;
	mach_event_t done;
};

static void play(void *argument)
{
	const struct player *p = argument;
	int i;

	for (i = 1; i <= TURNS; i++) {
		mach_event_wait(p->turn);
		mach_printf("thread %s: turn %d\n", p->name, i);
		mach_event_signal(p->next);
	}
	mach_event_signal(p->done);
}

static void two_threads(void)
{
	mach_event_t ping, pong, done;
	mach_port_name_t thread;
	struct player players[2];
	kern_return_t kr;
	int i;

	kr = mach_event_create(&ping);
	if (kr == KERN_SUCCESS)
		kr = mach_event_create(&pong);
	if (kr == KERN_SUCCESS)
		kr = mach_event_create(&done);
	if (kr != KERN_SUCCESS) {
		mach_printf("no events for the threads: %s\n", mach_error_string(kr));
		return;
	}
	players[0] = (struct player){ "one", ping, pong, done };
	players[1] = (struct player){ "two", pong, ping, done };

	for (i = 0; i < 2; i++) {
		kr = mach_thread_spawn(play, &players[i], &thread);
		mach_printf("thread %s: %s\n", players[i].name, mach_error_string(kr));
		if (kr != KERN_SUCCESS)
			return;
	}
	mach_event_signal(ping);
	for (i = 0; i < 2; i++)
		mach_event_wait(done);
	mach_printf("both threads are done\n");
}

int main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	mach_printf("hello from a Mach task\n");
	fresh_memory();
	two_threads();
	mach_printf("good-bye\n");
	return 0;
}
