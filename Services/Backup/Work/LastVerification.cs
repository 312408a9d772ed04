using System.Text.Json;
using Platform.Backup.Engines;
using Platform.Jobs;

namespace Platform.Backup.Work;

/// <summary>What the last verification of the whole repository found, kept for whoever asks how the backups stand.</summary>
/// <param name="At">When it ended.</param>
/// <param name="Objects">How many objects were read.</param>
/// <param name="Findings">What is wrong.</param>
internal sealed record LastVerification(DateTimeOffset At, int Objects, IReadOnlyList<Finding> Findings)
{
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);

    /// <summary>Reads it; null when the whole repository has never been verified, or what was written of it cannot be read.</summary>
    public static LastVerification? Read(string directory)
    {
        try
        {
            return JsonSerializer.Deserialize<LastVerification>(File.ReadAllText(FileOf(directory)), s_json);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException or JsonException)
        {
            // Then it is due.
            return null;
        }
    }

    /// <summary>Keeps it.</summary>
    public void Write(string directory) => OwnerOnly.Write(FileOf(directory), JobReport.Json(this));

    private static string FileOf(string directory) => Path.Combine(directory, "verified.json");
}
