using Platform.AppHost.Settings;

namespace Platform.AppHost.Stack;

/// <summary>What a run writes down beside the stack file for the command lines of <c>./platform</c>.</summary>
internal static class RunFiles
{
    /// <summary>Writes settings before anything starts; nothing where there is no stack file.</summary>
    /// <param name="builder">The app.</param>
    /// <param name="options">The settings of the platform.</param>
    /// <param name="name">The name of the file.</param>
    /// <param name="settings">The settings, asked for when they are written.</param>
    public static void RecordSettings(
        this IDistributedApplicationBuilder builder, PlatformOptions options, string name,
        Func<CancellationToken, ValueTask<IEnumerable<KeyValuePair<string, string>>>> settings)
    {
        if (options.StackFile is not { } stack)
        {
            return;
        }

        builder.Eventing.Subscribe<BeforeStartEvent>(async (_, cancellationToken) =>
        {
            var lines = await settings(cancellationToken);
            var directory = Path.GetDirectoryName(stack)!;
            Directory.CreateDirectory(directory);
            await OwnerFile.WriteAsync(Path.Combine(directory, name), lines.Select(setting => OwnerFile.Line(setting.Key, setting.Value)));
        });
    }
}
