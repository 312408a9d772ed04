using Platform.AppHost.Settings;
using Platform.AppHost.Stack;

namespace Platform.AppHost.Auditing;

/// <summary>The audit log: who writes it, and where it is.</summary>
internal static class AuditExtensions
{
    /// <summary>Lets a server, or a program, record what is done by it.</summary>
    /// <param name="resource">Whose environment says where to.</param>
    /// <param name="options">The settings of the graph.</param>
    /// <param name="section">The section of the program's own settings.</param>
    public static IResourceBuilder<T> WithAudit<T>(this IResourceBuilder<T> resource, PlatformOptions options, string section = SettingNames.Audit)
        where T : IResourceWithEnvironment
    {
        foreach (var (key, value) in SettingsOf(resource.ApplicationBuilder, options, section))
        {
            resource.WithEnvironment(key, value);
        }

        return resource;
    }

    /// <summary>Writes down, beside the stack file, where the log and its keys are: it is read also when the stack does not run.</summary>
    public static void RecordAudit(this IDistributedApplicationBuilder builder, PlatformOptions options)
    {
        if (options.Audit)
        {
            builder.RecordSettings(options, "audit", _ => new(SettingsOf(builder, options, SettingNames.Audit)));
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> SettingsOf(IDistributedApplicationBuilder builder, PlatformOptions options, string section) =>
        !options.Audit ? []
        :
        [
            // What else is set there, whoever writes the log checks.
            .. builder.Configuration.GetSection(PlatformOptions.AuditSection).GetChildren()
                .Where(setting => setting.Value is not null && setting.Key is not ("Enabled" or "Directory" or "KeyDirectory"))
                .Select(setting => KeyValuePair.Create($"{section}__{setting.Key}", setting.Value!)),
            new($"{section}__Directory", options.AuditDirectory),
            new($"{section}__KeyDirectory", options.AuditKeyDirectory),
        ];
}
