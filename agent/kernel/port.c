/* SPDX-License-Identifier: MIT */

#include "agent/cleanup.h"
#include "agent/kernel/port.h"

enum {
	/* Who is told on an interface beside the gateway; the pairs are 8,192 frames in 64 ms. */
	PORT_NEIGHBOURS = 256, /* of a family */
	PORT_PAIRS = 4096,     /* of a neighbour and an address */
};

static void forget_neighbours(struct port *port)
{
	free(TAKE(port->neighbours));
	port->n_neighbours = 0;
	port->unread = false;
}

/**
 * port_close() - The interface is not there any more, or is another one
 */
void port_close(struct port *port)
{
	port->ifindex = 0;
	close_fdp(&port->fd);
	forget_neighbours(port);
}

/* Forget those who are too many, so that thousands of addresses are not told to hundreds. */
static void bound_neighbours(struct port *port)
{
	size_t n = port->n_neighbours, n4 = 0, n6 = 0;

	port->n_neighbours = 0;
	for (size_t i = 0; i < n; i++) {
		const struct neigh *neigh = &port->neighbours[i];
		const bool ipv4 = neigh->ip.family == 4;
		size_t told = ipv4 ? n4++ : n6++;
		size_t pairs = (told + 1) * (ipv4 ? port->n_vips4 : port->n_vips6);

		if (neigh->gateway || (told < PORT_NEIGHBOURS && pairs <= PORT_PAIRS))
			port->neighbours[port->n_neighbours++] = *neigh;
	}
}

/**
 * port_learn() - Who is known on the interface
 * @v: as neigh_list() has them; taken
 * @n: number of them
 *
 * Of those who are no gateways as many are kept as the bounds allow.
 */
void port_learn(struct port *port, struct neigh *v, size_t n)
{
	free(port->neighbours);
	port->neighbours = v;
	port->n_neighbours = n;
	bound_neighbours(port);
}
