using System.Globalization;
using Microsoft.Extensions.Configuration;
using Platform.AppHost.Auditing;
using Platform.AppHost.Mongo;
using Platform.AppHost.Security;
using Platform.AppHost.Services;
using Platform.AppHost.Settings;
using Platform.AppHost.Stack;
using Platform.Hosting.Mongo;
using Platform.Hosting.Servers;

namespace Platform.AppHost.Backup;

internal static class BackupExtensions
{
    private static readonly string[] s_credentials =
        ["AWS_ACCESS_KEY_ID", "AWS_PROFILE", "AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_ROLE_ARN", "AWS_WEB_IDENTITY_TOKEN_FILE"];

    private static readonly string[] s_secretCredentials = ["AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"];

    /// <summary>
    /// Adds the agent that makes backups of a replica set of the engine <c>documentdb</c>, and lets its members archive their log. What a command line needs to
    /// reach the backups, also when the stack does not run, is written beside the stack file.
    /// </summary>
    /// <param name="builder">The graph.</param>
    /// <param name="name">The agent's name.</param>
    /// <param name="mongo">The replica set.</param>
    /// <param name="options">The settings.</param>
    /// <param name="apiPassword">The password of the API's user, as whom a drill logs in to a copy; null where there is none.</param>
    public static IResourceBuilder<ProjectResource> AddBackup(
        this IDistributedApplicationBuilder builder, string name, IResourceBuilder<MongoReplicaSetResource> mongo, PlatformOptions options,
        ParameterResource? apiPassword = null)
    {
        var passPhrase = builder.AddGeneratedSecret($"{name}-passphrase", length: 44);
        var repository = Path.Combine(options.BackupDirectory, "repository");
        var gateway = ServiceExtensions.ProgramOf(new Projects.Gateway().ProjectPath, AppContext.BaseDirectory);
        var settings = new List<KeyValuePair<string, string>>
        {
            new(SettingNames.BackupDirectory, options.BackupDirectory),
            new(SettingNames.BackupSocketDirectory, options.ReplicaSet().SocketDirectory),
            new(SettingNames.BackupServerImage, options.ServerImage),
            new(SettingNames.BackupNativeScripts, options.NativeScripts),
            new(SettingNames.BackupGatewayProgram, gateway),
        };
        foreach (var member in mongo.Resource.Servers.OfType<ExecutableResource>())
        {
            builder.CreateResourceBuilder(member)
                .WithEnvironment(SettingNames.ArchiveRepository, repository)
                .WithEnvironment(SettingNames.ArchivePassPhrase, passPhrase);
            settings.Add(new(
                string.Create(CultureInfo.InvariantCulture, $"{SettingNames.BackupMembers}{settings.Count(setting => IsMember(setting.Key))}"),
                options.ReplicaSet().DataDirectoryOf(settings.Count(setting => IsMember(setting.Key)) + 1)));
        }

        var agent = builder.AddService<Projects.Backup>(name)
            .WithArgs("agent")
            .WithEnvironment(SettingNames.BackupPassPhrase, passPhrase)
            .WithEnvironment(context =>
            {
                if (apiPassword is not null)
                {
                    context.EnvironmentVariables[SettingNames.BackupApiPassword] = apiPassword;
                }
            })
            .WithPasswordFile(SettingNames.BackupApiPasswordFile, apiPassword)
            .WithCredentialsOfCopy()
            .WithAudit(options)
            .WaitFor(mongo)
            .WithHttpEndpoint()
            .WithProbes()
            .WithIconName("DatabaseArrowDown");
        foreach (var (key, value) in settings.Concat(OfPolicy(builder)))
        {
            agent.WithEnvironment(key, value);
        }

        builder.RecordSettings(
            options,
            name,
            async cancellationToken =>
            {
                var secrets = new Dictionary<string, string>
                {
                    [SettingNames.BackupPassPhrase] = await passPhrase.Resource.GetValueAsync(cancellationToken) ?? "",
                };
                if (apiPassword is not null)
                {
                    secrets[SettingNames.BackupApiPassword] = await apiPassword.GetValueAsync(cancellationToken) ?? "";
                    if (apiPassword.PasswordFile() is { } file)
                    {
                        secrets[SettingNames.BackupApiPasswordFile] = file;
                    }
                }

                return settings.Concat(OfPolicy(builder)).Concat(secrets);
            });

        return agent;

        static bool IsMember(string key) => key.StartsWith(SettingNames.BackupMembers, StringComparison.Ordinal);
    }

    // The agent checks them, and names a wrong one. Those of the copy have no secret among them, but the name of a file with it.
    private static IEnumerable<KeyValuePair<string, string>> OfPolicy(IDistributedApplicationBuilder builder) =>
        builder.Configuration.GetSection(SettingNames.Backup).AsEnumerable()
            .Where(setting => setting.Value is not null)
            .Select(setting => KeyValuePair.Create(setting.Key.Replace(":", "__", StringComparison.Ordinal), setting.Value!))
            .OrderBy(setting => setting.Key, StringComparer.Ordinal);

    // Where there is a copy, whoever runs the graph may have its credentials in the environment, as all programs of Amazon find them.
    private static IResourceBuilder<ProjectResource> WithCredentialsOfCopy(this IResourceBuilder<ProjectResource> agent)
    {
        var builder = agent.ApplicationBuilder;
        var bucket = builder.Configuration[SettingNames.BackupBucket.Replace("__", ":", StringComparison.Ordinal)];
        if (builder.ExecutionContext.IsPublishMode || string.IsNullOrEmpty(bucket))
        {
            return agent;
        }

        foreach (var name in s_credentials)
        {
            if (builder.Configuration[name] is { Length: > 0 } value)
            {
                agent.WithEnvironment(name, value);
            }
        }

        foreach (var name in s_secretCredentials)
        {
            if (builder.Configuration[name] is { Length: > 0 } value)
            {
                // As a parameter it is masked wherever the environment is shown.
                agent.WithEnvironment(name, builder.AddParameter(name.ToLowerInvariant().Replace('_', '-'), value, secret: true));
            }
        }

        return agent;
    }
}
