/**
 * What every room needs and no library gives: the three kinds of failure and the checks that throw them, files that are never half
 * there, the one JSON mapper, digests, nearest names, portions of work by bytes, progress and interruption.
 *
 * <p>It knows no other room.
 */
package lab.recall.base;
