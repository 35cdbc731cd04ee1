/* SPDX-License-Identifier: MIT */

/*
 * The sentences for whoever is called at night: a core is driven into every
 * state and step by what really happens, and what is said of it is compared,
 * word for word, with tests/golden/explain.txt.
 */

#include "agent/drain/drain.h"
#include "tests/explain_scenes_move.h"
#include "tests/golden.h"
#include "tests/with_conf.h"

#define GOLDEN "tests/golden/explain.txt"

static struct explanation said;
static const struct drain_state *drains; /* so says the fake of draining; NULL: nothing drains */

/* They stand in front of the library's: there are no sockets here. */
bool beat_is_deaf(const struct beat *beat, uint8_t peer, instant now)
{
	(void)beat;
	(void)peer;
	(void)now;
	return deaf;
}

bool drain_look(const struct drains *of, uint8_t group, struct drain_state *ret)
{
	(void)of;
	(void)group;
	if (drains)
		*ret = *drains;
	return drains;
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

Test(explain, draining_is_said_with_what_is_left)
{
	struct conf *conf = two_nodes();
	struct drain_state state = { .connections = 17 };
	uint8_t node;

	pair(false);
	node = rig.nodes[ALPHA].core.groups[0].state == CORE_STATE_PRIMARY ? ALPHA : BETA;
	ask(conf, node);
	cr_expect_not(says("It drains"));
	drains = &state;
	ask(conf, node);
	cr_expect(says("It drains: new TCP connections are refused, 17 open ones are left; when "
		       "they have ended it switches over."));
	state = (struct drain_state){ .connections = 1,
				      .until = instant_add(rig.now, 40 * USEC_PER_SEC) };
	ask(conf, node);
	cr_expect(says("refused, 1 open one is left; when they have ended, or in 40 s, it "
		       "switches over."));
	conf_free(conf);
}
