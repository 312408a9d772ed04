namespace Aspire.Hosting.Offline;

/// <summary>A project whose program is built already; the generated <c>Projects.NAME</c> classes implement it.</summary>
public interface IBuiltProject
{
    /// <summary>The path of the built assembly.</summary>
    string TargetPath { get; }
}
