using System.Text.Json;
using Platform.Backup.Engines;
using Platform.Jobs;

namespace Platform.Backup.Copies;

/// <summary>What the agent last did for the copy, kept for whoever asks how it stands.</summary>
/// <param name="LastSuccess">When nothing waited last; null for never.</param>
/// <param name="Error">What failed last, and has not gone well since; null when all did.</param>
/// <param name="ErrorAt">Since when it fails.</param>
internal sealed record CopyRecord(DateTimeOffset? LastSuccess, string? Error, DateTimeOffset? ErrorAt)
{
    /// <summary>Nothing is known.</summary>
    public static CopyRecord None { get; } = new(null, null, null);

    private static string FileOf(string directory) => Path.Combine(directory, "copy.json");

    /// <summary>Reads it.</summary>
    public static CopyRecord Read(string directory) => CopyJson.Read<CopyRecord>(FileOf(directory)) ?? None;

    /// <summary>Keeps it.</summary>
    public void Write(string directory) => OwnerOnly.Write(FileOf(directory), JobReport.Json(this));
}

/// <summary>What the last comparison of the whole copy found.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Objects">How many objects were read.</param>
/// <param name="Findings">What is wrong.</param>
internal sealed record CopyVerification(DateTimeOffset At, int Objects, IReadOnlyList<Finding> Findings)
{
    private static string FileOf(string directory) => Path.Combine(directory, "copy-verified.json");

    /// <summary>Reads it; null for never.</summary>
    public static CopyVerification? Read(string directory) => CopyJson.Read<CopyVerification>(FileOf(directory));

    /// <summary>Keeps it.</summary>
    public void Write(string directory) => OwnerOnly.Write(FileOf(directory), JobReport.Json(this));
}

/// <summary>How the copy stands.</summary>
/// <param name="Place">Where it is.</param>
/// <param name="LastSuccess">When nothing waited last; null for never.</param>
/// <param name="Waiting">How many objects wait to be copied.</param>
/// <param name="WaitingBytes">How much that is.</param>
/// <param name="LagSeconds">For how long the oldest of them waits; zero when none does.</param>
/// <param name="Error">What failed last, and has not gone well since; null when all did.</param>
/// <param name="ErrorAt">Since when it fails.</param>
/// <param name="Verification">What the last comparison of all of it found; null for never.</param>
internal sealed record CopyStatus(
    string Place, DateTimeOffset? LastSuccess, int Waiting, long WaitingBytes, double LagSeconds, string? Error, DateTimeOffset? ErrorAt,
    CopyVerification? Verification);

internal static class CopyJson
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Reads a file; the default when it is not there, or says nothing that is understood: then it is written anew.</summary>
    public static T? Read<T>(string file)
    {
        try
        {
            return JsonSerializer.Deserialize<T>(File.ReadAllText(file), s_json);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            return default;
        }
    }
}
