namespace Aspire.Hosting;

/// <summary>A profile of a launchSettings.json.</summary>
public sealed class LaunchProfile
{
    /// <summary>What is launched, such as <c>Project</c>.</summary>
    public string? CommandName { get; set; }

    /// <summary>Arguments for the program.</summary>
    public string? CommandLineArgs { get; set; }

    /// <summary>The program of an <c>Executable</c> profile.</summary>
    public string? ExecutablePath { get; set; }

    /// <summary>Whether <c>dotnet run</c> writes messages.</summary>
    public bool? DotnetRunMessages { get; set; }

    /// <summary>Whether a browser is opened.</summary>
    public bool? LaunchBrowser { get; set; }

    /// <summary>The path that the browser opens.</summary>
#pragma warning disable CA1056 // the official type of the member
    public string? LaunchUrl { get; set; }

    /// <summary>The URLs that the program listens on, joined by semicolons.</summary>
    public string? ApplicationUrl { get; set; }
#pragma warning restore CA1056

    /// <summary>Environment variables for the program.</summary>
#pragma warning disable CA2227 // official: settable
    public Dictionary<string, string> EnvironmentVariables { get; set; } = [];
#pragma warning restore CA2227
}
