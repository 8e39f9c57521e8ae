/* randommem1: the random program of one seed. */
#include "randommem.h"

EACH("random/memory-1", program, 1, 800, 0)
