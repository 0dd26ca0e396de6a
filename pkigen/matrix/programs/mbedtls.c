/* Judges cases with Mbed TLS; --version prints its version. */
#define _GNU_SOURCE
#include "lines.h"

#include <time.h>

#include <mbedtls/ctr_drbg.h>
#include <mbedtls/entropy.h>
#include <mbedtls/error.h>
#include <mbedtls/oid.h>
#include <mbedtls/pk.h>
#include <mbedtls/version.h>
#include <mbedtls/x509_crl.h>
#include <mbedtls/x509_crt.h>

static time_t at;

/* The library asks the system for the time; here that is the time of the case. */
time_t time(time_t *given)
{
	if (given)
		*given = at;
	return at;
}

static const char *failure(int code)
{
	static char words[256];
	if (code > 0)
		snprintf(words, sizeof words, "%d of the certificates in the file cannot be read", code);
	else
		mbedtls_strerror(code, words, sizeof words);
	return words;
}

static const char *reasons(uint32_t flags)
{
	static char words[1024];
	mbedtls_x509_crt_verify_info(words, sizeof words, "", flags);
	return words;
}

static int judge_path(char **fields, mbedtls_x509_crt *sent, mbedtls_x509_crt *anchors)
{
	uint32_t flags = 0;
	char *path, *list = fields[ANCHORS];
	int code = mbedtls_x509_crt_parse_file(sent, fields[CERTIFICATE]);
	if (code == 0 && *fields[CHAIN])
		code = mbedtls_x509_crt_parse_file(sent, fields[CHAIN]);
	while (code == 0 && (path = next_path(&list)))
		code = mbedtls_x509_crt_parse_file(anchors, path);
	if (code != 0) {
		say("path", 0, failure(code));
		return 0;
	}
	code = mbedtls_x509_crt_verify(sent, anchors, NULL, *fields[HOST] ? fields[HOST] : NULL, &flags, NULL, NULL);
	if (code != 0) {
		say("path", 0, flags ? reasons(flags) : failure(code));
		return 0;
	}
	/* As its TLS client does, which looks at the purpose of the server's certificate by itself. */
	code = mbedtls_x509_crt_check_extended_key_usage(sent, MBEDTLS_OID_SERVER_AUTH, MBEDTLS_OID_SIZE(MBEDTLS_OID_SERVER_AUTH));
	say("path", code == 0, code == 0 ? "" : "The certificate is not for TLS servers (extended key usage)");
	return code == 0;
}

static void judge_crls(char **fields, mbedtls_x509_crt *sent, mbedtls_x509_crt *anchors)
{
	mbedtls_x509_crl lists;
	uint32_t flags = 0;
	char *path, *list = fields[CRLS];
	int code = 0;
	mbedtls_x509_crl_init(&lists);
	while (code == 0 && (path = next_path(&list)))
		code = mbedtls_x509_crl_parse_file(&lists, path);
	if (code == 0)
		code = mbedtls_x509_crt_verify(sent, anchors, &lists, NULL, &flags, NULL, NULL);
	say("crl", code == 0, code == 0 ? "" : flags ? reasons(flags) : failure(code));
	mbedtls_x509_crl_free(&lists);
}

static void judge_key(char **fields, mbedtls_x509_crt *sent, mbedtls_ctr_drbg_context *random)
{
	char *secret = passphrase(fields[PASSPHRASE]);
	mbedtls_pk_context key;
	int code;
	mbedtls_pk_init(&key);
#if MBEDTLS_VERSION_MAJOR >= 3
	code = mbedtls_pk_parse_keyfile(&key, fields[KEY], secret, mbedtls_ctr_drbg_random, random);
	if (code == 0)
		code = mbedtls_pk_check_pair(&sent->pk, &key, mbedtls_ctr_drbg_random, random);
#else
	(void)random;
	code = mbedtls_pk_parse_keyfile(&key, fields[KEY], secret);
	if (code == 0)
		code = mbedtls_pk_check_pair(&sent->pk, &key);
#endif
	say("key", code == 0, code == 0 ? "" : failure(code));
	mbedtls_pk_free(&key);
	free(secret);
}

int main(int count, char **words)
{
	char *fields[FIELDS], version[18];
	mbedtls_entropy_context entropy;
	mbedtls_ctr_drbg_context random;
	if (count > 1 && strcmp(words[1], "--version") == 0) {
		mbedtls_version_get_string(version);
		printf("Mbed TLS %s\n", version);
		return 0;
	}
	mbedtls_entropy_init(&entropy);
	mbedtls_ctr_drbg_init(&random);
	if (mbedtls_ctr_drbg_seed(&random, mbedtls_entropy_func, &entropy, NULL, 0) != 0)
		return 1;
	while (next_case(fields)) {
		mbedtls_x509_crt sent, anchors;
		mbedtls_x509_crt_init(&sent);
		mbedtls_x509_crt_init(&anchors);
		at = (time_t)atoll(fields[AT]);
		if (judge_path(fields, &sent, &anchors) && *fields[CRLS])
			judge_crls(fields, &sent, &anchors);
		if (*fields[KEY] && mbedtls_pk_get_type(&sent.pk) != MBEDTLS_PK_NONE)
			judge_key(fields, &sent, &random);
		end_case();
		mbedtls_x509_crt_free(&sent);
		mbedtls_x509_crt_free(&anchors);
	}
	return 0;
}
