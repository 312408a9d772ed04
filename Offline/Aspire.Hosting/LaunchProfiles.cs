using System.Text.Json;
using Microsoft.Extensions.Configuration;

namespace Aspire.Hosting;

/// <summary>Reads launchSettings.json and chooses the profile of a project.</summary>
internal static class LaunchProfiles
{
    private static readonly JsonDocumentOptions s_jsonOptions = new() { CommentHandling = JsonCommentHandling.Skip, AllowTrailingCommas = true };

    public static (string Name, LaunchProfile Profile)? Choose(IProjectMetadata project, IConfiguration configuration, ProjectResourceOptions options)
    {
        if (options.ExcludeLaunchProfile)
        {
            return null;
        }

        var settings = project.LaunchSettings ?? Read(project.ProjectPath);
        if (settings is null)
        {
            return options.LaunchProfileName is { } missing
                ? throw new DistributedApplicationException($"The project '{project.ProjectPath}' has no launch settings, so no profile '{missing}'.")
                : null;
        }

        if (options.LaunchProfileName is { } explicitName)
        {
            return settings.Profiles.TryGetValue(explicitName, out var asked)
                ? (explicitName, asked)
                : throw new DistributedApplicationException($"The project '{project.ProjectPath}' has no launch profile '{explicitName}'.");
        }

        var ownName = configuration["AppHost:DefaultLaunchProfileName"] ?? configuration["DOTNET_LAUNCH_PROFILE"];
        if (ownName is not null && settings.Profiles.TryGetValue(ownName, out var same))
        {
            return (ownName, same);
        }

        foreach (var (name, profile) in settings.Profiles)
        {
            if (string.IsNullOrEmpty(profile.CommandName) || profile.CommandName is "Project" or "Executable")
            {
                return (name, profile);
            }
        }

        return null;
    }

    private static LaunchSettings? Read(string projectPath)
    {
        var path = Path.Combine(Path.GetDirectoryName(projectPath)!, "Properties", "launchSettings.json");
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var json = JsonDocument.Parse(File.ReadAllBytes(path), s_jsonOptions);
            var settings = new LaunchSettings();
            if (json.RootElement.TryGetProperty("profiles", out var profiles))
            {
                foreach (var profile in profiles.EnumerateObject())
                {
                    settings.Profiles[profile.Name] = ReadProfile(profile.Value);
                }
            }

            return settings;
        }
        catch (JsonException ex)
        {
            throw new DistributedApplicationException($"The launch settings '{path}' are not valid JSON: {ex.Message}", ex);
        }
    }

    private static LaunchProfile ReadProfile(JsonElement json)
    {
        var profile = new LaunchProfile
        {
            CommandName = Text(json, "commandName"),
            CommandLineArgs = Text(json, "commandLineArgs"),
            ExecutablePath = Text(json, "executablePath"),
            LaunchUrl = Text(json, "launchUrl"),
            ApplicationUrl = Text(json, "applicationUrl"),
            LaunchBrowser = Flag(json, "launchBrowser"),
            DotnetRunMessages = Flag(json, "dotnetRunMessages"),
        };
        if (json.TryGetProperty("environmentVariables", out var variables))
        {
            foreach (var variable in variables.EnumerateObject())
            {
                profile.EnvironmentVariables[variable.Name] = variable.Value.GetString() ?? "";
            }
        }

        return profile;
    }

    private static string? Text(JsonElement json, string name)
        => json.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static bool? Flag(JsonElement json, string name)
        => json.TryGetProperty(name, out var value) && value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : null;
}
