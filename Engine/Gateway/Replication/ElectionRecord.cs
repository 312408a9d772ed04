using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization;
using Platform.Gateway.Postgres;

namespace Platform.Gateway.Replication;

/// <summary>What a member must not forget about elections, whatever happens to its process or its cluster.</summary>
/// <param name="Term">The latest term that it knows of.</param>
/// <param name="Vote">The number of the member that has its vote in that term; zero for none.</param>
/// <param name="Followed">
/// The last term whose primary it was, or followed: its log may have writes of that term, and of no later one. Zero when it has had no
/// primary yet.
/// </param>
/// <param name="OwedTerm">With <paramref name="OwedEnd"/> how much it had when it gave up its data for another member's; zero when it has its data.</param>
/// <param name="OwedEnd">
/// A majority may have relied on that, so that it votes for nobody who has less, although it has nothing itself for the time being.
/// </param>
internal sealed partial record ElectionRecord(long Term, int Vote, long Followed, long OwedTerm = 0, ulong OwedEnd = 0)
{
    private const string FileName = "election.json";
    private const int ReadOnly = 0;

    /// <summary>See <see cref="OwedTerm"/>.</summary>
    [JsonIgnore]
    public Position Owed => new(OwedTerm, new Lsn(OwedEnd));

    /// <summary>Whether its vote in a term can go to a candidate: it has not voted in it, or for that one, and knows of no later term.</summary>
    public bool MayVote(long term, int candidate) => term > Term || (term == Term && (Vote == 0 || Vote == candidate));

    /// <summary>Reads it; a member that has none knows of nothing.</summary>
    public static ElectionRecord Read(string directory)
    {
        var path = Path.Combine(directory, FileName);
        return File.Exists(path)
            ? JsonSerializer.Deserialize<ElectionRecord>(File.ReadAllBytes(path)) ?? throw new InvalidDataException($"{path} is empty.")
            : new ElectionRecord(0, 0, 0);
    }

    /// <summary>Writes it down; when this returns it outlives a power cut.</summary>
    public void Write(string directory)
    {
        var path = Path.Combine(directory, FileName);
        var draft = path + ".new";
        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            JsonSerializer.Serialize(file, this);
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        // The directory, too: else the old file may come back. The framework opens none.
        var descriptor = Open(directory, ReadOnly);
        if (descriptor < 0)
        {
            throw new IOException($"{directory} cannot be opened (error {Marshal.GetLastPInvokeError()}).");
        }

        var result = Flush(descriptor);
        _ = Close(descriptor);
        if (result != 0)
        {
            throw new IOException($"{directory} cannot be written to the disk (error {Marshal.GetLastPInvokeError()}).");
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int Open(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int Flush(int descriptor);

    [LibraryImport("libc", EntryPoint = "close")]
    private static partial int Close(int descriptor);
}
