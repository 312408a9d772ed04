using System.Reflection;
using Microsoft.Extensions.Configuration.UserSecrets;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;

namespace Platform.AppHost.Security;

/// <summary>Where this checkout keeps the secrets that it generates.</summary>
internal static class SecretPlaces
{
    /// <summary>Writes that down beside the stack file, for <c>./platform secrets</c>: no value is in it.</summary>
    public static void RecordSecrets(this IDistributedApplicationBuilder builder, PlatformOptions options)
    {
        if (typeof(SecretPlaces).Assembly.GetCustomAttribute<UserSecretsIdAttribute>() is { } secrets)
        {
            IEnumerable<KeyValuePair<string, string>> places =
            [
                new("Secrets__UserFile", PathHelper.GetSecretsPathFromSecretsId(secrets.UserSecretsId)),
                new("Secrets__Data", options.DataDirectory),
                new("Secrets__PassPhraseFile", options.PassPhraseFile),
                new("Secrets__AuditKeys", options.AuditKeyDirectory),
                new("Secrets__MasterKeys", options.EncryptionDirectory),
            ];
            builder.RecordSettings(options, "secrets", _ => new(places));
        }
    }
}
