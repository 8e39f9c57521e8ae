/* randommem3: the random program of one seed. */
#include "randommem.h"

EACH("random/memory-3", program, 4, 800, 0)
