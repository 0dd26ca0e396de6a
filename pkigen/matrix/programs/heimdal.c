/* Judges cases with hx509 of Heimdal; --version prints its version. */
#define _GNU_SOURCE
#include "lines.h"

#include <stdint.h>
#include <time.h>

#include <hx509.h>

extern const char *heimdal_version;

static void refuse(hx509_context context, const char *part, int code, const char *prefix)
{
	char *reason = hx509_get_error_string(context, code), words[2048];
	snprintf(words, sizeof words, "%s%s", prefix, reason ? reason : "no reason given");
	say(part, 0, words);
	hx509_free_error_string(reason);
}

/* Adds the certificates of a PEM file. */
static int add(hx509_context context, hx509_certs certs, const char *path)
{
	char name[4096 + 16];
	snprintf(name, sizeof name, "PEM-FILE:%s", path);
	return hx509_certs_append(context, certs, NULL, name);
}

static int verify(hx509_context context, char **fields, hx509_certs anchors, hx509_certs pool, hx509_cert server, hx509_revoke_ctx lists)
{
	hx509_verify_ctx asked;
	int code = hx509_verify_init_ctx(context, &asked);
	if (code == 0) {
		hx509_verify_attach_anchors(asked, anchors);
		hx509_verify_set_time(asked, (time_t)atoll(fields[AT]));
		if (lists)
			hx509_verify_attach_revoke(asked, lists);
		hx509_context_set_missing_revoke(context, lists == NULL);
		code = hx509_verify_path(context, asked, server, pool);
		hx509_verify_destroy_ctx(asked);
	}
	return code;
}

static void judge_crls(hx509_context context, char **fields, hx509_certs anchors, hx509_certs pool, hx509_cert server)
{
	hx509_revoke_ctx lists;
	char *path, *list = fields[CRLS], name[4096 + 8];
	int code = hx509_revoke_init(context, &lists);
	while (code == 0 && (path = next_path(&list))) {
		snprintf(name, sizeof name, "FILE:%s", path);
		code = hx509_revoke_add_crl(context, lists, name);
	}
	if (code == 0)
		code = verify(context, fields, anchors, pool, server, lists);
	if (code == 0)
		say("crl", 1, "");
	else
		refuse(context, "crl", code, "");
	hx509_revoke_free(&lists);
}

static void judge(hx509_context context, char **fields)
{
	hx509_certs anchors = NULL, pool = NULL, own = NULL;
	hx509_cert server = NULL;
	char *path, *list = fields[ANCHORS];
	int code = hx509_certs_init(context, "MEMORY:anchors", 0, NULL, &anchors);
	if (code == 0)
		code = hx509_certs_init(context, "MEMORY:pool", 0, NULL, &pool);
	if (code == 0)
		code = hx509_certs_init(context, "MEMORY:own", 0, NULL, &own);
	while (code == 0 && (path = next_path(&list)))
		code = add(context, anchors, path);
	if (code == 0)
		code = add(context, own, fields[CERTIFICATE]);
	if (code == 0)
		code = hx509_get_one_cert(context, own, &server);
	if (code == 0 && *fields[CHAIN])
		code = add(context, pool, fields[CHAIN]);
	if (code == 0)
		code = verify(context, fields, anchors, pool, server, NULL);
	if (code == 0 && *fields[HOST]) {
		code = hx509_verify_hostname(context, server, 0, HX509_HN_HOSTNAME, fields[HOST], NULL, 0);
	}
	if (code == 0) {
		say("path", 1, "");
		judge_crls(context, fields, anchors, pool, server);
	} else
		refuse(context, "path", code, "");
	hx509_cert_free(server);
	hx509_certs_free(&own);
	hx509_certs_free(&pool);
	hx509_certs_free(&anchors);
}

int main(int count, char **words)
{
	char *fields[FIELDS];
	if (count > 1 && strcmp(words[1], "--version") == 0) {
		puts(heimdal_version);
		return 0;
	}
	while (next_case(fields)) {
		hx509_context context;
		if (hx509_context_init(&context) != 0)
			return 1;
		judge(context, fields);
		hx509_context_free(&context);
		end_case();
	}
	return 0;
}
