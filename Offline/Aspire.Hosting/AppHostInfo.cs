using System.Reflection;

namespace Aspire.Hosting;

/// <summary>What the app host's assembly says about itself.</summary>
internal sealed class AppHostInfo(Assembly? assembly, string directory, string name)
{
    public Assembly? Assembly { get; } = assembly;

    /// <summary>The project directory.</summary>
    public string Directory { get; } = directory;

    /// <summary>The name without a trailing <c>AppHost</c>.</summary>
    public string Name { get; } = name;

    /// <summary>An assembly metadata value, by key without case: of the app host, else of the entry assembly.</summary>
    public string? Metadata(string key) => Find(Assembly, key) ?? Find(System.Reflection.Assembly.GetEntryAssembly(), key);

    internal static string? Find(Assembly? assembly, string key)
        => assembly?.GetCustomAttributes<AssemblyMetadataAttribute>()
            .FirstOrDefault(a => string.Equals(a.Key, key, StringComparison.OrdinalIgnoreCase))?.Value;
}
