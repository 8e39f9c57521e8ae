/* randommem4: the random program of one seed. */
#include "randommem.h"

EACH("random/memory-4", program, 5, 800, 0)
