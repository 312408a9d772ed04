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
        if (options.StackFile is { } stack && typeof(SecretPlaces).Assembly.GetCustomAttribute<UserSecretsIdAttribute>() is { } secrets)
        {
            builder.Eventing.Subscribe<BeforeStartEvent>(async (_, _) =>
            {
                Directory.CreateDirectory(Path.GetDirectoryName(stack)!);
                await OwnerFile.WriteAsync(
                    Path.Combine(Path.GetDirectoryName(stack)!, "secrets"),
                    [
                        OwnerFile.Line("Secrets__UserFile", PathHelper.GetSecretsPathFromSecretsId(secrets.UserSecretsId)),
                        OwnerFile.Line("Secrets__Data", options.DataDirectory),
                        OwnerFile.Line("Secrets__PassPhraseFile", options.PassPhraseFile),
                        OwnerFile.Line("Secrets__AuditKeys", options.AuditKeyDirectory),
                        OwnerFile.Line("Secrets__MasterKeys", options.EncryptionDirectory),
                    ]);
            });
        }
    }
}
