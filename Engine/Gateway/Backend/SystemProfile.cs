using Platform.Wire.Bson;

namespace Platform.Gateway.Backend;

/// <summary>
/// The collection <c>system.profile</c> of a database. The backend lets nobody write to names that begin with <c>system.</c>, so the
/// entries are kept under another name; commands that read the one are led to the other.
/// </summary>
internal static class SystemProfile
{
    /// <summary>The name that clients know.</summary>
    public const string Name = "system.profile";

    /// <summary>The name under which the backend keeps it.</summary>
    public const string Stored = "gateway.system.profile";

    // Never made. A server profiles each member by itself; the backend replicates the primary's entries, and a secondary, which keeps none, must not
    // show them as its own: who adds up all members would count each three times.
    private const string OfSecondary = "gateway.system.profile.secondary";

    /// <summary>Whether a command addresses it.</summary>
    public static bool IsTarget(in RawElement command) => command.StringBytes.SequenceEqual("system.profile"u8);

    /// <summary>The collection as the backend knows it.</summary>
    public static string StoredName(string collection) => collection == Name ? Stored : collection;

    /// <summary>The command with the stored name in place of the known one; on a secondary, with that of a collection that is empty.</summary>
    public static RawDocument ToStored(RawDocument body, bool isSecondary = false)
    {
        var builder = new BsonBuilder(body.Bytes.Length + 16);
        var first = true;
        foreach (var element in body)
        {
            // getMore names the collection in a field of its own.
            if ((first || element.Is("collection"u8)) && IsTarget(element))
            {
                builder.Add(element.Name, isSecondary ? OfSecondary : Stored);
            }
            else
            {
                builder.Add(element);
            }

            first = false;
        }

        return new RawDocument(builder.Finish());
    }

    /// <summary>A page of results with the known name in its namespace.</summary>
    public static ReadOnlyMemory<byte> ToKnown(ReadOnlyMemory<byte> page, string database)
    {
        var builder = new BsonBuilder(page.Length);
        foreach (var element in new RawDocument(page))
        {
            if (!element.Is("cursor"u8))
            {
                builder.Add(element);
                continue;
            }

            builder.Start("cursor"u8);
            foreach (var field in element.Document)
            {
                if (field.Is("ns"u8))
                {
                    builder.Add("ns"u8, $"{database}.{Name}");
                }
                else
                {
                    builder.Add(field);
                }
            }

            builder.End();
        }

        return builder.Finish();
    }
}
