using System.Buffers.Binary;
using System.Net.Sockets;
using MongoDB.Bson;
using MongoDB.Bson.Serialization;

namespace Platform.Gateway.Replication;

/// <summary>Messages between gateways: BSON documents, one after the other, on a Unix socket that only the user can reach.</summary>
internal static class MemberSockets
{
    private const int LargestMessage = 1024 * 1024;

    /// <summary>Where the gateway of a member listens.</summary>
    public static UnixDomainSocketEndPoint EndPoint(string directory, int member) => new(PathOf(directory, member));

    /// <summary>The path of that socket.</summary>
    public static string PathOf(string directory, int member) => Path.Combine(directory, $"member-{member}.sock");

    /// <summary>Makes the directory, if it is not there, and sees to it that only the user can enter it.</summary>
    public static void Prepare(string directory) => OwnerOnly.MakeDirectory(directory);

    /// <summary>Sends a message.</summary>
    public static async ValueTask SendAsync(Stream stream, BsonDocument message, CancellationToken cancellationToken) =>
        await stream.WriteAsync(message.ToBson(), cancellationToken);

    /// <summary>
    /// Receives a message; null when the other side has closed. Throws <see cref="IOException"/> for what is none.
    /// </summary>
    public static async ValueTask<BsonDocument?> ReceiveAsync(Stream stream, CancellationToken cancellationToken)
    {
        var head = new byte[4];
        var count = await stream.ReadAtLeastAsync(head, head.Length, throwOnEndOfStream: false, cancellationToken);
        if (count < head.Length)
        {
            return count == 0 ? null : throw new EndOfStreamException("The message ends within its length.");
        }

        var length = BinaryPrimitives.ReadInt32LittleEndian(head);
        if (length is < 5 or > LargestMessage)
        {
            throw new InvalidDataException($"A message claims {length} bytes.");
        }

        var bytes = new byte[length];
        head.CopyTo(bytes, 0);
        await stream.ReadExactlyAsync(bytes.AsMemory(head.Length), cancellationToken);
        try
        {
            return BsonSerializer.Deserialize<BsonDocument>(bytes);
        }
        catch (Exception e) when (e is FormatException or BsonException)
        {
            throw new InvalidDataException($"A message is no document: {e.Message}", e);
        }
    }
}
