/* The C types of every.defs. */
#ifndef EVERY_H
#define EVERY_H
typedef unsigned char octet_t;
typedef short half_t;
typedef long long_t;
typedef int triple_t[3];
typedef struct { int a, b; } pair_t;
typedef struct { int a, b, c; } three_t;
typedef struct { int a; char b; short c; long d; } record_t;
typedef int words_t[16];
typedef short halves_t[12];
typedef unsigned char octets_t[16];
typedef pair_t pairs_t[8];
typedef three_t threes_t[8];
typedef char *memory_t;
typedef three_t *three_memory_t;
typedef int *many_t;
typedef short *many_halves_t;
typedef pair_t *many_pairs_t;
typedef three_t *many_threes_t;
typedef mach_port_t *many_rights_t;
typedef mach_port_t *away_rights_t;
typedef mach_port_t few_rights_t[6];
typedef char label_t[20];
typedef char remark_t[40];
typedef const char *const_label_t, *const_remark_t;
typedef const int *const_many_t;
typedef const short *const_many_halves_t;
typedef const pair_t *const_many_pairs_t;
typedef const three_t *const_many_threes_t;
typedef const mach_port_t *const_many_rights_t;
#endif
