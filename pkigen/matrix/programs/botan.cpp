// Judges cases with Botan; --version prints its version.
#include "lines.h"

#include <chrono>
#include <memory>
#include <optional>
#include <set>
#include <stdexcept>
#include <vector>

#include <botan/certstor.h>
#include <botan/data_src.h>
#include <botan/pkcs8.h>
#include <botan/version.h>
#include <botan/x509cert.h>
#include <botan/x509path.h>

using namespace Botan;

namespace {

std::vector<X509_Certificate> certificates(const std::string& path)
   {
   size_t length = 0;
   const std::unique_ptr<unsigned char, decltype(&free)> data(read_file(path.c_str(), &length), free);
   std::vector<X509_Certificate> found;
   if(!data)
      throw std::runtime_error("the file cannot be read");
   DataSource_Memory source(data.get(), length);
   // Botan's reader looks for the next block, and takes none for an error: there are as many as begin.
   for(const char* at = strstr((const char*)data.get(), "-----BEGIN "); at; at = strstr(at + 1, "-----BEGIN "))
      found.push_back(X509_Certificate(source));
   if(found.empty())
      throw std::runtime_error("there is no certificate in the file");
   return found;
   }

std::vector<std::string> paths(char* list)
   {
   std::vector<std::string> found;
   while(char* path = next_path(&list))
      found.push_back(path);
   return found;
   }

struct Judged
   {
   std::vector<X509_Certificate> sent;
   std::vector<X509_Certificate> anchors;
   };

Path_Validation_Result validate(const Judged& judged, Certificate_Store_In_Memory& trusted, char** fields, bool revocation)
   {
   const auto at = std::chrono::system_clock::from_time_t(atoll(fields[AT]));
   const Path_Validation_Restrictions restrictions(revocation);
   return x509_path_validate(judged.sent, restrictions, trusted, revocation ? "" : fields[HOST],
                             Usage_Type::TLS_SERVER_AUTH, at);
   }

void judge_crls(const Judged& judged, Certificate_Store_In_Memory& trusted, char** fields)
   {
   try
      {
      bool scoped = false;
      for(const auto& path : paths(fields[CRLS]))
         {
         const X509_CRL list(path);
         scoped = scoped || list.extensions().extension_set(OID("2.5.29.28"));
         trusted.add_crl(list);
         }
      const auto result = validate(judged, trusted, fields, true);
      // Botan wants the issuing distribution point of every CRL to be one of the certificate's: a CRL without
      // that extension, which is of all of them (RFC 5280, 6.3.3), would never do.
      std::set<Certificate_Status_Code> wrong;
      for(const auto& status : result.all_statuses())
         for(const auto code : status)
            if(code >= Certificate_Status_Code::FIRST_ERROR_STATUS && (scoped || code != Certificate_Status_Code::NO_MATCHING_CRLDP))
               wrong.insert(code);
      say("crl", wrong.empty(), wrong.empty() ? "" : Path_Validation_Result::status_string(*wrong.rbegin()));
      }
   catch(const std::exception& error)
      {
      say("crl", 0, error.what());
      }
   }

void judge_path(char** fields, std::optional<X509_Certificate>& server)
   {
   try
      {
      Judged judged;
      Certificate_Store_In_Memory trusted;
      server = X509_Certificate(fields[CERTIFICATE]);
      judged.sent.push_back(*server);
      if(*fields[CHAIN])
         for(const auto& one : certificates(fields[CHAIN]))
            judged.sent.push_back(one);
      for(const auto& path : paths(fields[ANCHORS]))
         for(const auto& one : certificates(path))
            trusted.add_certificate(one);
      const auto result = validate(judged, trusted, fields, false);
      say("path", result.successful_validation(), result.successful_validation() ? "" : result.result_string().c_str());
      if(result.successful_validation() && *fields[CRLS])
         judge_crls(judged, trusted, fields);
      }
   catch(const std::exception& error)
      {
      say("path", 0, error.what());
      }
   }

void judge_key(char** fields, const X509_Certificate& server)
   {
   try
      {
      DataSource_Stream source(fields[KEY]);
      char* secret = passphrase(fields[PASSPHRASE]);
      std::unique_ptr<Private_Key> key(secret ? PKCS8::load_key(source, std::string(secret)) : PKCS8::load_key(source));
      free(secret);
      const bool same = key->subject_public_key() == server.subject_public_key()->subject_public_key();
      say("key", same, "the keys differ");
      }
   catch(const std::exception& error)
      {
      say("key", 0, error.what());
      }
   }

}

int main(int count, char** words)
   {
   char* fields[FIELDS];
   if(count > 1 && std::string(words[1]) == "--version")
      {
      printf("Botan %s\n", short_version_cstr());
      return 0;
      }
   while(next_case(fields))
      {
      std::optional<X509_Certificate> server;
      judge_path(fields, server);
      if(*fields[KEY] && server)
         judge_key(fields, *server);
      end_case();
      }
   return 0;
   }
