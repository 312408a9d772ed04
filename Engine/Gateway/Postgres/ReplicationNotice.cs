namespace Platform.Gateway.Postgres;

/// <summary>
/// The warning with which PostgreSQL says that a commit took place but its wait for a standby was ended by a cancellation
/// (https://www.postgresql.org/docs/current/warm-standby.html#SYNCHRONOUS-REPLICATION). The command itself succeeds.
/// </summary>
internal static class ReplicationNotice
{
    /// <summary>Whether a NoticeResponse is that warning. Its text is translated; its code and the function that reports it are not.</summary>
    public static bool IsIn(ReadOnlySpan<byte> body)
    {
        var (isWarning, isOfWait) = (false, false);
        while (body.Length > 1 && body[0] != 0)
        {
            var end = body[1..].IndexOf((byte)0);
            if (end < 0)
            {
                break;
            }

            var value = body.Slice(1, end);
            isWarning |= body[0] == (byte)'C' && value.SequenceEqual("01000"u8);
            isOfWait |= body[0] == (byte)'R' && value.SequenceEqual("SyncRepWaitForLSN"u8);
            body = body[(end + 2)..];
        }

        return isWarning && isOfWait;
    }
}
