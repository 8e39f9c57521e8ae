/* randomipc3: the random program of one seed. */
#include "randomipc.h"

EACH("random/ipc-3", program, 3, 1000, 0)
