/* SPDX-License-Identifier: MIT */

/*
 * The sentences for whoever is called at night: a core is driven into every
 * state and step by what really happens, and what is said of it is compared,
 * word for word, with tests/golden/explain.txt.
 */

#include "agent/explain/explain.h"

#include "tests/core_rig.h"
#include "tests/golden.h"
#include "tests/with_conf.h"

#define GOLDEN "tests/golden/explain.txt"

static struct agent agent; /* too large for a stack */
static struct explanation said;
static bool deaf; /* so says the fake of the heartbeats */

/* It stands in front of the library's: there are no sockets here. */
bool beat_is_deaf(const struct beat *beat, uint8_t peer, instant now)
{
	(void)beat;
	(void)peer;
	(void)now;
	return deaf;
}

/* There may be a third: the core knows of more than a configuration can say as yet. */
static struct conf *two_nodes(void)
{
	struct conf *conf =
		conf_from_text("[Agent]\nAuthentication=none\n"
			       "[Node alpha]\nAddress=10.0.0.1\n[Node beta]\nAddress=10.0.0.2\n"
			       "[Group sip]\nVirtualAddress=10.0.0.3 eth0\n");

	(void)strcpy(conf->nodes[GAMMA].name, "gamma");
	return conf;
}

static void ask(struct conf *conf, uint8_t node)
{
	conf->n_nodes = rig.nodes[node].core.config.n_nodes;
	agent.conf = conf;
	agent.self = node;
	agent.core = rig.nodes[node].core;
	cr_assert_eq(explain(&agent, 0, rig.now, &said), 0);
	cr_assert_gt(said.n, 0);
	cr_assert_null(said.list[said.n]);
}

/* Is there a sentence with this in it? */
static bool says(const char *words)
{
	for (size_t i = 0; i < said.n; i++)
		if (strstr(said.list[i], words))
			return true;
	return false;
}

/* --- Scenes: each leaves a node as it is to be explained ---------------------- */

static void pair(bool strict)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(groups[0].strict, strict);
	rig_pair();
}

static uint8_t scene_backup(void)
{
	pair(false);
	rig_advance_us(12 * 1000);
	return BETA;
}

static uint8_t scene_backup_listens(void)
{
	rig_begin();
	rig_start(ALPHA);
	rig_advance_us(1200 * 1000);
	return ALPHA;
}

static uint8_t scene_backup_listens_after_boot(void)
{
	rig_begin();
	rig.nodes[ALPHA].start[0].start.boot = true;
	rig_start(ALPHA);
	rig_advance_us(1200 * 1000);
	return ALPHA;
}

static uint8_t scene_backup_of_nobody(void)
{
	rig_begin();
	rig_start(BETA);
	rig_say_for_us(ALPHA, BETA, 6 * USEC_PER_SEC);
	return BETA;
}

static uint8_t scene_backup_not_synchronized(void)
{
	(void)scene_backup();
	rig_set_fitness(BETA, CORE_UNFIT_SYNC, true);
	return BETA;
}

static uint8_t scene_backup_asks_for_a_caller(void)
{
	(void)scene_backup();
	rig_request(BETA, CORE_EV_SWITCHOVER, 1);
	return BETA;
}

static void standby_that_comes_first(void)
{
	rig_begin();
	rig_configure(groups[0].preempt, true);
	rig_configure(priority[BETA], 200);
	rig_standby(BETA, ALPHA, 5);
}

static uint8_t scene_backup_preempts(void)
{
	standby_that_comes_first();
	return BETA;
}

static uint8_t scene_backup_preempts_again_later(void)
{
	standby_that_comes_first();
	rig_puppet(ALPHA)->move = CORE_MOVE_DENIED;
	rig_puppet(ALPHA)->move_id = rig_group(BETA)->move_id;
	rig_puppet(ALPHA)->why = CORE_RESULT_BUSY;
	rig_say(ALPHA, BETA);
	rig_puppet(ALPHA)->move = CORE_MOVE_NONE;
	rig_say_for_us(ALPHA, BETA, 700 * 1000);
	return BETA;
}

static uint8_t scene_fault_by_a_link(void)
{
	(void)scene_backup();
	agent.trouble[0].name = "eth0";
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	return BETA;
}

static uint8_t scene_fault_by_a_missing_interface(void)
{
	(void)scene_backup();
	agent.trouble[0].name = "eth7";
	agent.trouble[0].missing = true;
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	return BETA;
}

static uint8_t scene_fault_by_no_address_of_its_own(void)
{
	(void)scene_backup();
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	return BETA;
}

static uint8_t scene_fault_by_a_check_and_the_last_resort(void)
{
	(void)scene_backup();
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	return BETA;
}

static uint8_t scene_fault_and_nobody_holds(void)
{
	rig_begin();
	rig_start(BETA);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_puppet(ALPHA)->state = CORE_STATE_FAULT;
	rig_puppet(ALPHA)->unfit = CORE_UNFIT_LINK;
	rig_say_for_us(ALPHA, BETA, 1500 * 1000);
	return BETA;
}

static uint8_t scene_fault_by_isolation(void)
{
	(void)scene_backup();
	rig_kill(ALPHA);
	rig_advance_us(200 * 1000);
	rig_set_references(BETA, true);
	rig_advance_us(DEAD);
	return BETA;
}

static void claim_alone(void)
{
	rig_begin();
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
}

static uint8_t scene_fault_by_a_failed_claim(void)
{
	claim_alone();
	rig_answer(ALPHA, CORE_DO_PREPARE, -22);
	rig_done_all(ALPHA);
	rig_advance_us(700 * 1000);
	rig_expect_state(ALPHA, CORE_STATE_FAULT);
	return ALPHA;
}

static uint8_t scene_fault_by_being_disowned(void)
{
	(void)scene_backup();
	rig_kill(ALPHA);
	rig_advance_us(200 * 1000);
	rig_event(BETA, CORE_EV_DISOWNED);
	rig_advance_us(400 * 1000);
	rig_event(BETA, CORE_EV_DISOWNED);
	return BETA;
}

/* Alpha serves on, unheard. */
static uint8_t scene_fault_by_somebody_who_answers(void)
{
	rig_begin();
	rig_configure(n_announce, 0);
	rig_configure(probe_us, 200 * 1000);
	rig_pair();
	rig_cut(ALPHA, BETA);
	rig.nodes[BETA].probed = -98;
	rig_advance_us(3 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_FAULT);
	return BETA;
}

static uint8_t scene_maintenance(void)
{
	(void)scene_backup();
	rig_request(BETA, CORE_EV_MAINTENANCE, 1);
	rig_advance_us(5 * USEC_PER_SEC);
	return BETA;
}

/* Its lease ran out; the puppet is heard and does not hear it. */
static uint8_t scene_claiming_wait(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, LEASE + 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	return ALPHA;
}

static uint8_t scene_claiming_wait_for_a_dead_peer(void)
{
	(void)scene_claiming_wait();
	rig_advance_us(4 * INTERVAL);
	return ALPHA;
}

static uint8_t scene_claiming_probe(void)
{
	rig_begin();
	rig_configure(probe_us, 200 * 1000);
	rig_standby(ALPHA, BETA, 5);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(DEAD);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	return ALPHA;
}

static uint8_t scene_claiming_before_claim(void)
{
	rig_begin();
	rig_configure(groups[0].before_claim, 1);
	rig_start(ALPHA);
	rig.nodes[ALPHA].stuck = true;
	rig_advance_us(LISTEN + 100 * 1000);
	return ALPHA;
}

static uint8_t scene_primary_before_release(void)
{
	rig_begin();
	rig_configure(groups[0].before_release, 1);
	rig_pair();
	rig.nodes[ALPHA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_advance_us(100 * 1000);
	return ALPHA;
}

static uint8_t scene_claiming_prepare(void)
{
	claim_alone();
	rig_advance_us(100 * 1000);
	return ALPHA;
}

static uint8_t scene_claiming_open(void)
{
	claim_alone();
	rig_answer(ALPHA, CORE_DO_PREPARE, 0);
	rig_advance_us(100 * 1000);
	return ALPHA;
}

/* The puppet hands over to beta. */
static void hand_over(enum core_move move)
{
	struct core_record *r = rig_puppet(ALPHA);

	r->state = CORE_STATE_YIELDING;
	r->term_max = r->move_term = 6;
	r->move = move;
	r->move_to = BETA;
	r->move_id = 77;
	rig_say(ALPHA, BETA);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
}

static void offer(enum core_move move)
{
	rig_begin();
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	hand_over(move);
}

static uint8_t scene_claiming_strict_prepare(void)
{
	offer(CORE_MOVE_RELEASED);
	return BETA;
}

/* Gamma, who might claim as well, does not answer. */
static uint8_t scene_claiming_prepared(void)
{
	rig_begin();
	rig_configure(n_nodes, 3);
	rig_standby(BETA, ALPHA, 5);
	rig.nodes[BETA].stuck = true;
	rig_deafen(GAMMA);
	rig_say(GAMMA, BETA);
	hand_over(CORE_MOVE_OFFER);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	return BETA;
}

static uint8_t scene_claiming_seamless_open(void)
{
	offer(CORE_MOVE_OFFER);
	rig_answer(BETA, CORE_DO_PREPARE, 0);
	return BETA;
}

static uint8_t scene_claiming_ready(void)
{
	(void)scene_claiming_seamless_open();
	rig_answer(BETA, CORE_DO_GATE, 0);
	return BETA;
}

static uint8_t scene_claiming_answer(void)
{
	(void)scene_claiming_ready();
	rig_puppet(ALPHA)->move = CORE_MOVE_WITHDRAWN;
	rig_say(ALPHA, BETA);
	return BETA;
}

static uint8_t scene_primary_on_trial(void)
{
	(void)scene_claiming_answer();
	rig_answer(BETA, CORE_DO_GATE, 0);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	return BETA;
}

static uint8_t scene_primary(void)
{
	pair(false);
	rig_advance_us(3 * 3600 * USEC_PER_SEC + 12 * 60 * USEC_PER_SEC + 12 * 1000);
	return ALPHA;
}

static uint8_t scene_primary_strict(void)
{
	pair(true);
	return ALPHA;
}

static uint8_t scene_primary_alone(void)
{
	rig_begin();
	rig_alone(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static uint8_t scene_primary_after_the_death_of_the_peer(void)
{
	pair(false);
	rig_kill(ALPHA);
	rig_advance_us(26 * 3600 * USEC_PER_SEC);
	rig_expect_state(BETA, CORE_STATE_PRIMARY);
	return BETA;
}

static uint8_t scene_primary_and_peer_silent_for_five_intervals(void)
{
	pair(false);
	rig_kill(BETA);
	rig_advance_us(250 * 1000);
	return ALPHA;
}

static uint8_t scene_primary_and_peer_without_agent(void)
{
	struct core_event event = { .type = CORE_EV_UNREACHABLE, .peer = BETA };

	pair(false);
	rig_kill(BETA);
	rig_advance_us(DEAD);
	rig_step(ALPHA, &event);
	return ALPHA;
}

static uint8_t scene_primary_and_peer_deaf(void)
{
	deaf = true;
	return scene_primary_alone();
}

static uint8_t scene_primary_that_is_not_answered(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static uint8_t scene_primary_and_peer_unfit(void)
{
	pair(false);
	rig_set_fitness(BETA, CORE_UNFIT_LINK, true);
	rig_set_fitness(BETA, CORE_UNFIT_CHECK, true);
	rig_settle();
	rig_advance_us(DEAD);
	return ALPHA;
}

static uint8_t scene_primary_and_peer_of_another_configuration(void)
{
	rig_begin();
	rig.nodes[BETA].puppet.digest = 2;
	rig_puppet(BETA)->present = false;
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, DEAD);
	return ALPHA;
}

static uint8_t scene_primary_unfit_and_alone(void)
{
	(void)scene_primary_alone();
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	return ALPHA;
}

static uint8_t scene_primary_that_would_let_go_alone(void)
{
	rig_begin();
	rig_configure(groups[0].keep_alone, false);
	rig_alone(ALPHA);
	rig_advance_us(2 * USEC_PER_SEC);
	return ALPHA;
}

static uint8_t scene_primary_with_a_rival(void)
{
	rig_begin();
	rig_adopted(ALPHA, 5);
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_puppet(BETA)->term_max = 4;
	rig_deafen(BETA);
	rig_say_for_us(BETA, ALPHA, 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static uint8_t scene_primary_that_lost_addresses(void)
{
	(void)scene_primary_strict();
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_LOST);
	return ALPHA;
}

static uint8_t scene_primary_that_cannot_put_them_back(void)
{
	(void)scene_primary_alone();
	rig_event(ALPHA, CORE_EV_LOST);
	rig_answer(ALPHA, CORE_DO_PREPARE, -22);
	rig_advance_us(1100 * 1000);
	return ALPHA;
}

static uint8_t scene_primary_without_gate(void)
{
	(void)scene_primary_strict();
	rig.nodes[ALPHA].stuck = true;
	rig_event(ALPHA, CORE_EV_FLUSHED);
	rig_answer(ALPHA, CORE_DO_REBUILD, -1);
	return ALPHA;
}

/* An offer that nobody takes up; the puppet is fit all the same. */
static void offered(bool strict)
{
	rig_begin();
	rig_configure(groups[0].strict, strict);
	rig_configure(n_announce, 0);
	rig_adopted(ALPHA, 5);
	rig_say_for_us(BETA, ALPHA, 2 * DEAD);
	rig.nodes[ALPHA].stuck = true;
	rig_request(ALPHA, CORE_EV_SWITCHOVER, 1);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
}

static uint8_t scene_primary_after_a_move_that_failed(void)
{
	offered(false);
	rig_say_for_us(BETA, ALPHA, STEP + 3 * INTERVAL);
	rig_expect_state(ALPHA, CORE_STATE_PRIMARY);
	return ALPHA;
}

static uint8_t scene_primary_restarts(void)
{
	pair(false);
	rig_stop(ALPHA, true);
	return ALPHA;
}

static uint8_t scene_primary_restarts_with_a_longer_lease(void)
{
	pair(false);
	rig.nodes[ALPHA].stuck = true;
	rig_stop(ALPHA, true);
	rig_settle();
	return ALPHA;
}

static uint8_t scene_yielding_offer(void)
{
	offered(false);
	rig_say_for_us(BETA, ALPHA, 2 * INTERVAL);
	return ALPHA;
}

static void answer_offer(enum core_move move)
{
	rig_puppet(BETA)->move = move;
	rig_puppet(BETA)->move_to = ALPHA;
	rig_puppet(BETA)->move_id = rig_group(ALPHA)->move_id;
	rig_say(BETA, ALPHA);
}

static uint8_t scene_yielding_withdraw(void)
{
	offered(false);
	answer_offer(CORE_MOVE_READY);
	return ALPHA;
}

static uint8_t scene_yielding_withdrawn(void)
{
	(void)scene_yielding_withdraw();
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	return ALPHA;
}

static uint8_t scene_claiming_answer_to_take_it_back(void)
{
	(void)scene_yielding_withdrawn();
	answer_offer(CORE_MOVE_REFUSED);
	rig_expect_state(ALPHA, CORE_STATE_CLAIMING);
	return ALPHA;
}

static uint8_t scene_yielding_linger(void)
{
	(void)scene_yielding_withdrawn();
	rig_puppet(BETA)->state = CORE_STATE_PRIMARY;
	rig_puppet(BETA)->term = rig_group(ALPHA)->move_term;
	answer_offer(CORE_MOVE_NONE);
	return ALPHA;
}

static uint8_t scene_yielding_close(void)
{
	offered(true);
	return ALPHA;
}

static uint8_t scene_yielding_lease(void)
{
	offered(true);
	rig_answer(ALPHA, CORE_DO_GATE, -1);
	return ALPHA;
}

static uint8_t scene_yielding_remove(void)
{
	offered(true);
	rig_answer(ALPHA, CORE_DO_GATE, 0);
	return ALPHA;
}

static uint8_t scene_yielding_released(void)
{
	(void)scene_yielding_remove();
	rig_answer(ALPHA, CORE_DO_REMOVE, 0);
	return ALPHA;
}

static uint8_t scene_yielding_released_and_peer_frozen(void)
{
	(void)scene_yielding_released();
	rig_advance_us(200 * 1000);
	return ALPHA;
}

static uint8_t scene_yielding_to_nobody(void)
{
	(void)scene_primary_that_would_let_go_alone();
	rig.nodes[ALPHA].stuck = true;
	rig_set_fitness(ALPHA, CORE_UNFIT_CHECK, true);
	rig_expect_state(ALPHA, CORE_STATE_YIELDING);
	return ALPHA;
}

static uint8_t scene_yielding_to_stop(void)
{
	pair(false);
	rig.nodes[ALPHA].stuck = true;
	rig_stop(ALPHA, false);
	return ALPHA;
}

#define SCENE(name)                                                                                \
	{                                                                                          \
#name, scene_##name                                                                \
	}

static const struct {
	const char *name;
	uint8_t (*play)(void);
} scenes[] = {
	SCENE(backup),
	SCENE(backup_listens),
	SCENE(backup_listens_after_boot),
	SCENE(backup_of_nobody),
	SCENE(backup_not_synchronized),
	SCENE(backup_asks_for_a_caller),
	SCENE(backup_preempts),
	SCENE(backup_preempts_again_later),
	SCENE(fault_by_a_link),
	SCENE(fault_by_a_missing_interface),
	SCENE(fault_by_no_address_of_its_own),
	SCENE(fault_by_a_check_and_the_last_resort),
	SCENE(fault_and_nobody_holds),
	SCENE(fault_by_isolation),
	SCENE(fault_by_a_failed_claim),
	SCENE(fault_by_being_disowned),
	SCENE(fault_by_somebody_who_answers),
	SCENE(maintenance),
	SCENE(claiming_wait),
	SCENE(claiming_wait_for_a_dead_peer),
	SCENE(claiming_probe),
	SCENE(claiming_before_claim),
	SCENE(claiming_prepare),
	SCENE(claiming_open),
	SCENE(claiming_strict_prepare),
	SCENE(claiming_prepared),
	SCENE(claiming_seamless_open),
	SCENE(claiming_ready),
	SCENE(claiming_answer),
	SCENE(claiming_answer_to_take_it_back),
	SCENE(primary_on_trial),
	SCENE(primary),
	SCENE(primary_strict),
	SCENE(primary_alone),
	SCENE(primary_after_the_death_of_the_peer),
	SCENE(primary_and_peer_silent_for_five_intervals),
	SCENE(primary_and_peer_without_agent),
	SCENE(primary_and_peer_deaf),
	SCENE(primary_that_is_not_answered),
	SCENE(primary_and_peer_unfit),
	SCENE(primary_and_peer_of_another_configuration),
	SCENE(primary_unfit_and_alone),
	SCENE(primary_that_would_let_go_alone),
	SCENE(primary_with_a_rival),
	SCENE(primary_that_lost_addresses),
	SCENE(primary_that_cannot_put_them_back),
	SCENE(primary_without_gate),
	SCENE(primary_after_a_move_that_failed),
	SCENE(primary_restarts),
	SCENE(primary_restarts_with_a_longer_lease),
	SCENE(primary_before_release),
	SCENE(yielding_offer),
	SCENE(yielding_withdraw),
	SCENE(yielding_withdrawn),
	SCENE(yielding_linger),
	SCENE(yielding_close),
	SCENE(yielding_lease),
	SCENE(yielding_remove),
	SCENE(yielding_released),
	SCENE(yielding_released_and_peer_frozen),
	SCENE(yielding_to_nobody),
	SCENE(yielding_to_stop),
};

static void play(struct conf *conf, size_t i)
{
	deaf = false;
	memset(agent.trouble, 0, sizeof(agent.trouble));
	ask(conf, scenes[i].play());
}

Test(explain, every_scene_is_told_as_it_has_been_read_and_found_right, .timeout = 60)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();
	_cleanup_(freep) char *text = NULL;
	size_t len = 0;
	FILE *f = open_memstream(&text, &len);

	cr_assert(f);
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		play(conf, i);
		fprintf(f, "%s%s\n", i ? "\n" : "", scenes[i].name);
		for (size_t j = 0; j < said.n; j++)
			fprintf(f, "  %s\n", said.list[j]);
	}
	cr_assert_eq(fclose(f), 0);
	golden_expect(GOLDEN, text);
}

Test(explain, every_state_and_every_step_has_a_scene, .timeout = 60)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();
	bool states[_CORE_STATE_MAX] = { 0 }, steps[_CORE_STEP_MAX] = { 0 };

	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		const struct core_group *g = &agent.core.groups[0];
		char step[32];

		play(conf, i);
		states[g->state] = steps[g->step] = true;
		cr_expect(says(core_state_name(g->state)), "%s", scenes[i].name);
		(void)snprintf(step, sizeof(step), "(step %s)", core_step_name(g->step));
		cr_expect(!g->step || says(step), "%s: no \"%s\"", scenes[i].name, step);
	}
	for (size_t i = 0; i < _CORE_STATE_MAX; i++)
		cr_expect(states[i], "no scene with state %s", core_state_name(i));
	for (size_t i = 0; i < _CORE_STEP_MAX; i++)
		cr_expect(steps[i], "no scene with step %s", core_step_name(i));
}

Test(explain, a_role_is_said_to_have_no_addresses)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();

	(void)scene_backup();
	ask(conf, BETA);
	cr_expect_not(says("Mode=none"));
	conf->groups[0].mode = CONF_MODE_NONE;
	ask(conf, BETA);
	cr_expect(says("sip is a role without addresses (Mode=none): "));
}

Test(explain, every_reason_is_named_and_told_in_words_of_its_own)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();
	char told[_CORE_REASON_MAX][EXPLAIN_TEXT_MAX];

	for (enum core_reason i = 0; i < _CORE_REASON_MAX; i++) {
		(void)scene_backup();
		rig.nodes[BETA].core.groups[0].reason = i;
		ask(conf, BETA);
		cr_expect(strstr(said.list[0], core_reason_name(i)), "%s", said.list[0]);
		cr_expect_null(strstr(said.list[0], "(null)"));
		memcpy(told[i], said.list[0], EXPLAIN_TEXT_MAX);
		*strrchr(told[i], i ? '(' : '.') = '\0';
		for (enum core_reason j = 0; j < i; j++)
			cr_expect_str_neq(told[i], told[j]);
	}
}

Test(explain, every_reason_to_be_unfit_has_a_sentence_that_names_it)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();

	for (unsigned bit = 1; bit < _CORE_UNFIT_MASK; bit <<= 1) {
		char begins[64];

		(void)scene_backup();
		rig.nodes[BETA].core.groups[0].unfit = (uint16_t)bit;
		ask(conf, BETA);
		(void)snprintf(begins, sizeof(begins),
			       "beta is unfit (%s): ", core_unfit_name((enum core_unfit)bit));
		cr_expect(says(begins), "no \"%s\"", begins);
		cr_expect_not(says("): ."), "%s means nothing", begins);
	}
}

/* Nothing that has been foretold is made up: the core does it, and then. */
Test(explain, what_is_foretold_of_the_silence_of_the_peer_comes_true)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();

	(void)scene_backup();
	ask(conf, BETA);
	cr_assert(says("If alpha is not heard from now on, beta claims it in 488 ms (peer-dead)."));
	rig_kill(ALPHA);
	rig.nodes[BETA].stuck = true;
	rig_advance_us(487 * 1000);
	rig_expect_state(BETA, CORE_STATE_BACKUP);
	rig_advance_us(1000);
	rig_expect_state(BETA, CORE_STATE_CLAIMING);
}

/* Looking ahead reads: the core goes on as if nobody had asked. */
Test(explain, to_ask_changes_nothing)
{
	_cleanup_(conf_freep) struct conf *conf = two_nodes();

	for (size_t i = 0; i < ARRAY_SIZE(scenes); i += 7) {
		struct core *core;

		play(conf, i);
		core = malloc(sizeof(*core));
		cr_assert(core);
		memcpy(core, &agent.core, sizeof(*core));
		cr_assert_eq(explain(&agent, 0, rig.now, &said), 0);
		cr_expect_arr_eq(core, &agent.core, sizeof(*core));
		free(core);
	}
}
