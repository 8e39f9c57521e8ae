/* What the generated C drivers and their run-time share. No libc header: the
   generated code sees GNU Mach's. */
void take(void *to, unsigned size);               /* a number, or bytes */
void *take_bytes(unsigned *size);                 /* bytes */
void *take_memory(unsigned *count);               /* bytes or an address, and a count */
void put(const void *from, unsigned size);        /* a number */
void put_bytes(const void *from, unsigned long size);
void put_string(const char *from, unsigned most);
void put_array(const void *from, int inlined, unsigned long size, unsigned count);
void put_names(const void *from, unsigned count); /* of rights in a message */
int answer(const char *routine);                  /* a server was called; its code */
void fill(void);                                  /* the stack below */
int in_message(const void *p);
char *scratch(unsigned size);                     /* filled memory */
int is_scratch(const void *p);

struct user { const char *name; void (*call)(void); };
struct server { const char *name; int (*serve)(void *in, void *out); };
void put_code(int code);
